module example.com/ocr

go 1.25

require (
	github.com/aws/aws-cdk-go/awscdk/v2 v2.276.0
	github.com/aws/jsii-runtime-go v1.140.0
	github.com/cdk-sliced-inference/cdk-sliced-inference-go/slicedinference v0.2.0
)

// Until the module is published: the folder that `npm run pack -- --languages go` writes.
replace github.com/cdk-sliced-inference/cdk-sliced-inference-go/slicedinference => ../cdk-sliced-inference/dist/go/slicedinference
