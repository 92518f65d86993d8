package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	sliced "github.com/cdk-sliced-inference/cdk-sliced-inference-go/slicedinference"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Ocr"), nil)
	pipeline := sliced.NewSlicedInferencePipeline(stack, jsii.String("Recognition"), &sliced.SlicedInferencePipelineProps{
		ModelPath: jsii.String("model.onnx"),
		Slicing:   sliced.Slicing_Count(jsii.Number(4), nil),
		// Sizes of your requests, by the model's dimension names.
		Dimensions: &map[string]*float64{"batch": jsii.Number(1), "width": jsii.Number(640)},
	})
	awscdk.NewCfnOutput(stack, jsii.String("StateMachineArn"), &awscdk.CfnOutputProps{
		Value: pipeline.StateMachine().StateMachineArn(),
	})
	app.Synth(nil)
}
