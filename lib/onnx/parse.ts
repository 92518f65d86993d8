/** Reads an ONNX file into a `Model` without loading a weight. Field numbers are those of onnx.proto3. */
import { dirname, resolve } from 'node:path';
import { MANIFEST_KEY } from '../../contract/slice-manifest';
import type { Fingerprint } from '../cache/fingerprint';
import { fingerprint } from '../cache/fingerprint';
import { SlicedInferenceError, quoted } from '../errors';
import { checkBeginning, checkIsFile, damaged, notOnnx } from './check-file';
import { ONNX_FLOAT16 } from './data-type';
import { takeApart } from './external-bodies';
import { ExternalFiles } from './external-data';
import { GraphBuilder } from './graph-builder';
import { MAX_IR_VERSION, MAX_MODEL_FIELDS } from './limits';
import { checkFunctions } from './check-functions';
import type {
  ByteRange,
  FunctionNode,
  Graph,
  LocalFunction,
  Model,
  Opset,
  SourceFile,
  Tensor,
} from './model';
import { ParseContext } from './parse-context';
import { parseNode, readDefault } from './parse-node';
import { ownRange, parseTensor, text } from './parse-tensor';
import { parseValueInfo } from './parse-type';
import type { Span } from './wire';
import { ByteSource, WireError, content, fields, integer, once } from './wire';

export interface ParseOptions {
  /**
   * The folder that external data lies in.
   *
   * @default - the model's own
   */
  readonly externalFolder?: string;
}

/**
 * Reads the model at `path`.
 *
 * @throws SlicedInferenceError for a file that is missing, empty, truncated, no ONNX model, or damaged, and for
 * external data that is missing, too short or outside the model's folder
 */
export function parseModel(path: string, { externalFolder = dirname(path) }: ParseOptions = {}): Model {
  checkIsFile(path);
  const print = fingerprint(path);
  const source = new ByteSource(path);
  try {
    checkBeginning(source);
    return new ModelParser(source, print, externalFolder).parse();
  } catch (error) {
    if (error instanceof WireError) throw damaged(path, source, error);
    throw error;
  } finally {
    source.close();
  }
}

class ModelParser {
  private readonly files: SourceFile[];
  private readonly context: ParseContext;

  constructor(
    private readonly source: ByteSource,
    print: Fingerprint,
    externalFolder: string,
  ) {
    this.files = [
      { path: source.path, names: [resolve(source.path)], size: source.size, fingerprint: print },
    ];
    this.context = new ParseContext(new ExternalFiles(this.files, externalFolder));
  }

  parse(): Model {
    const { source } = this;
    let irVersion: number | undefined;
    let graphSpan: Span | undefined;
    const opsets: Opset[] = [];
    const header: ByteRange[] = [];
    const functions: LocalFunction[] = [];
    for (const field of fields(source, { start: 0, end: source.size })) {
      switch (field.number) {
        case 1:
          irVersion = integer(field);
          header.push(ownRange(field.whole));
          break;
        case 7:
          // Protobuf merges the two; which of them is meant is not for us to say.
          if (graphSpan !== undefined) throw notOnnx(source.path, 'a file with two graphs');
          graphSpan = content(field);
          break;
        case 8:
          opsets.push(this.opset(content(field)));
          header.push(ownRange(field.whole));
          break;
        case 14: // metadata_props
          if (this.firstText(content(field)) !== MANIFEST_KEY) header.push(ownRange(field.whole));
          break;
        case 20: // training_info: no part of inference
          break;
        case 25:
          functions.push(this.localFunction(content(field), ownRange(field.whole)));
          break;
        default:
          if (field.number > 64) throw notOnnx(source.path, `a file with an unknown field ${field.number}`);
          header.push(ownRange(field.whole));
      }
      if (header.length + functions.length > MAX_MODEL_FIELDS) {
        throw notOnnx(source.path, `a file with more than ${MAX_MODEL_FIELDS} fields beside its graph`);
      }
    }
    if (irVersion === undefined || graphSpan === undefined) {
      throw notOnnx(
        source.path,
        irVersion === undefined ? 'a file without an IR version' : 'a file without a graph',
      );
    }
    if (opsets.length === 0) throw notOnnx(source.path, 'a file without opsets');
    if (irVersion < 1 || irVersion > MAX_IR_VERSION) {
      throw new SlicedInferenceError(
        `model ${quoted(source.path)} must have an IR version from 1 to ${MAX_IR_VERSION}`,
        String(irVersion),
        'export it with a lower `ir_version`',
      );
    }
    const graph = this.graph(graphSpan);
    checkFunctions(functions, graph.nodes);
    const { usesFloat16, unsafeStrings } = this.context;
    return {
      files: this.files,
      irVersion,
      opsets,
      header,
      functions,
      graph,
      usesFloat16,
      isSettled: false,
      ...(unsafeStrings !== undefined && { unsafeStrings }),
    };
  }

  private graph(span: Span): Graph {
    const { source, context } = this;
    const builder = new GraphBuilder();
    for (const field of fields(source, span)) {
      const whole = ownRange(field.whole);
      switch (field.number) {
        case 1:
          this.node(content(field), whole, builder);
          break;
        case 2:
          builder.name = text(source, field);
          break;
        case 5:
          builder.addInitializer(parseTensor(source, content(field), context), whole, 'dense');
          break;
        case 11: {
          const { name, type } = parseValueInfo(source, content(field));
          if (type.dataType === ONNX_FLOAT16) context.usesFloat16 = true;
          builder.addInput(name, type, whole);
          break;
        }
        case 12: {
          const { name, type } = parseValueInfo(source, content(field));
          builder.addOutput(name, type, whole);
          break;
        }
        case 13:
          builder.addValueInfo(whole);
          break;
        case 14:
          builder.addAnnotation(this.firstText(content(field)), whole);
          break;
        case 15:
          builder.addInitializer(this.sparseValues(content(field)), whole, 'sparse');
          break;
        case 16:
          builder.addMetadata(whole);
          break;
      }
    }
    return builder.build();
  }

  private node(span: Span, field: ByteRange, builder: GraphBuilder): void {
    const { source, context } = this;
    const parsed = parseNode(source, span, context);
    builder.addNode(parsed, field, parsed.hasExternal ? takeApart(source, span, 'node', context) : undefined);
  }

  private opset(span: Span): Opset {
    let domain = '';
    let version = 0;
    for (const field of fields(this.source, span)) {
      if (field.number === 1) domain = text(this.source, field);
      if (field.number === 2) version = integer(field);
    }
    return { domain: domain === 'ai.onnx' ? '' : domain, version };
  }

  /** Field 1 of a `StringStringEntryProto` (its key) or of a `TensorAnnotation` (its tensor's name). */
  private firstText(span: Span): string {
    for (const field of fields(this.source, span)) if (field.number === 1) return text(this.source, field);
    return '';
  }

  /** The values of a `SparseTensorProto`, which carry its name. */
  private sparseValues(span: Span): Tensor {
    let values: Tensor | undefined;
    let indices: Tensor | undefined;
    for (const field of fields(this.source, span)) {
      if (field.number === 1) {
        once(field, values);
        values = parseTensor(this.source, content(field), this.context);
      }
      if (field.number === 2) {
        once(field, indices);
        indices = parseTensor(this.source, content(field), this.context);
      }
    }
    if (values === undefined) {
      throw new WireError(`the sparse tensor at byte ${span.start} has no values`, false);
    }
    if (values.external || indices?.external) {
      throw new SlicedInferenceError(
        `sparse initializer ${quoted(values.name)} must lie inside the model's file`,
        'external data',
        'store it as a dense initializer',
      );
    }
    return values;
  }

  private localFunction(span: Span, field: ByteRange): LocalFunction {
    let domain = '';
    let name = '';
    let overload = '';
    const inputs: string[] = [];
    const outputs: string[] = [];
    const nodes: FunctionNode[] = [];
    const held: ReturnType<typeof readDefault>[] = [];
    for (const part of fields(this.source, span)) {
      if (part.number === 1) name = text(this.source, part);
      if (part.number === 10) domain = text(this.source, part);
      if (part.number === 13) overload = text(this.source, part);
      if (part.number === 7) {
        // Depth 1: a `Constant` inside a function is no weight of the graph.
        const node = parseNode(this.source, content(part), this.context, 1);
        nodes.push({
          use: node.operators[node.operators.length - 1],
          inputs: node.inputs,
          outputs: node.outputs,
        });
        held.push(node);
      }
      if (part.number === 4) inputs.push(text(this.source, part));
      if (part.number === 5) outputs.push(text(this.source, part));
      if (part.number === 11) held.push(readDefault(this.source, content(part), this.context));
    }
    const externalSparse = held.find((part) => part.externalSparse !== undefined)?.externalSparse;
    const hasExternal = held.some((part) => part.hasExternal);
    const pieces = hasExternal ? takeApart(this.source, span, 'function', this.context) : undefined;
    return {
      domain,
      name,
      overload,
      inputs,
      outputs,
      nodes,
      operators: held.flatMap(({ operators }) => operators),
      heldBytes: held.reduce((sum, { heldBytes }) => sum + heldBytes, 0),
      field,
      ...(pieces && { pieces }),
      ...(externalSparse !== undefined && { externalSparse }),
    };
  }
}
