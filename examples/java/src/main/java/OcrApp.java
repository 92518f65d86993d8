import io.github.cdkslicedinference.SlicedInferencePipeline;
import io.github.cdkslicedinference.Slicing;
import java.util.Map;
import software.amazon.awscdk.App;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Stack;

public class OcrApp {
    public static void main(String[] args) {
        App app = new App();
        Stack stack = new Stack(app, "Ocr");
        SlicedInferencePipeline pipeline = SlicedInferencePipeline.Builder.create(stack, "Recognition")
            .modelPath("model.onnx")
            .slicing(Slicing.count(4))
            .dimensions(Map.of("batch", 1, "width", 640)) // sizes of your requests, by the model's dimension names
            .build();
        CfnOutput.Builder.create(stack, "StateMachineArn")
            .value(pipeline.getStateMachine().getStateMachineArn())
            .build();
        app.synth();
    }
}
