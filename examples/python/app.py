#!/usr/bin/env python3
"""A CDK app: one stack with a model that is cut into three slices."""

import platform

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from cdk_sliced_inference import SliceFunctionOptions, SlicedInferencePipeline, Slicing

app = cdk.App()
stack = cdk.Stack(app, "Classifier")
is_arm = platform.machine() in ("arm64", "aarch64")
pipeline = SlicedInferencePipeline(
    stack,
    "Pipeline",
    model_path=app.node.try_get_context("model") or "model.onnx",
    slicing=Slicing.count(3),
    dimensions={"batch": 8},  # size of your requests, by the model's dimension names
    slice_functions=SliceFunctionOptions(memory_size=1024),
    # The local cloud runs the functions on this machine, so the app takes its architecture.
    architecture=lambda_.Architecture.ARM_64 if is_arm else lambda_.Architecture.X86_64,
)
cdk.CfnOutput(stack, "StateMachineArn", value=pipeline.state_machine.state_machine_arn)
cdk.CfnOutput(stack, "BucketName", value=pipeline.bucket.bucket_name)
app.synth()
