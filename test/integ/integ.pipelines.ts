/** The test for `integ-runner`: its snapshot is in `integ.pipelines.ts.snapshot`. */
import { IntegTest } from '@aws-cdk/integ-tests-alpha';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { buildApp } from './app';
import { writeModel } from './model';

const { app, stacks } = buildApp({ modelPath: writeModel(), architecture: lambda.Architecture.X86_64 });
new IntegTest(app, 'Pipelines', { testCases: stacks, diffAssets: false, stackUpdateWorkflow: false });
app.synth();
