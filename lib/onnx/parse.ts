/** Reads an ONNX file into a `Model` without loading a weight. */
import { dirname, resolve } from 'node:path';
import { MANIFEST_KEY } from '../../contract/slice-manifest';
import { type Fingerprint, fingerprint } from '../cache/fingerprint';
import { SlicedInferenceError, quoted } from '../errors';
import { checkBeginning, checkForeign, checkIsFile, damaged, notOnnx } from './check-file';
import { ONNX_FLOAT16 } from './data-type';
import { takeApart } from './external-bodies';
import { ExternalFiles, ParseContext } from './external-data';
import { ENTRY, FUNCTION, GRAPH, MODEL, OPSET } from './fields';
import { MAX_IR_VERSION, MAX_MODEL_FIELDS, MAX_MODEL_FIELD_NUMBER, MAX_PROPERTY_BYTES } from './limits';
import { type ParsedGraph, checkCount, linkGraph } from './link-graph';
import { checkFunctions } from './local-functions';
import type { FunctionNode, Graph, LocalFunction, Model, Opset, SourceFile, SourceRange } from './model';
import { parseNode, readDefault, refuseSparse } from './parse-node';
import { ownRange, parseTensor, text, textOf, parseValueInfo } from './parse-tensor';
import { type Span, ByteSource, WireError, content, fields, integer, readMessage } from './wire';

/** Reads the model at `path`. */
export function parseModel(path: string, externalFolder = dirname(path)): Model {
  checkIsFile(path);
  const print = fingerprint(path);
  const source = new ByteSource(path);
  try {
    checkBeginning(source);
    return new ModelParser(source, print, externalFolder).parse();
  } catch (error) {
    checkForeign(source);
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
    const { graphSpan, ...model } = this.readFields();
    this.checkIrVersion(model.irVersion);
    const graph = this.graph(graphSpan);
    checkFunctions(model.functions, graph.nodes);
    const { bodyNames, usesFloat16, unsafeStrings } = this.context;
    return {
      files: this.files,
      ...model,
      graph,
      bodyNames,
      usesFloat16,
      isSettled: false,
      ...(unsafeStrings !== undefined && { unsafeStrings }),
    };
  }

  private readFields() {
    const { source } = this;
    const { path } = source;
    let irVersion: number | undefined;
    let graphSpan: Span | undefined;
    const opsets: Opset[] = [];
    const header: SourceRange[] = [];
    const properties = new Map<string, string>();
    const functions: LocalFunction[] = [];
    for (const field of fields(source, { start: 0, end: source.size })) {
      switch (field.number) {
        case MODEL.irVersion:
          irVersion = integer(field);
          header.push(ownRange(field.whole));
          break;
        case MODEL.graph:
          // Protobuf would merge the two graphs; this library cannot know which one the exporter meant.
          if (graphSpan !== undefined) throw notOnnx(path, 'a file with two graphs');
          graphSpan = content(field);
          break;
        case MODEL.opsetImport:
          opsets.push(this.opset(content(field)));
          header.push(ownRange(field.whole));
          break;
        case MODEL.metadataProps: {
          const key = textOf(source, content(field), ENTRY.key);
          if (key === MANIFEST_KEY) break;
          header.push(ownRange(field.whole));
          properties.set(key, this.shortValueOf(content(field)));
          break;
        }
        case MODEL.trainingInfo:
          // Inference does not use it.
          break;
        case MODEL.functions:
          functions.push(this.localFunction(content(field), ownRange(field.whole)));
          break;
        default:
          if (field.number > MAX_MODEL_FIELD_NUMBER)
            throw notOnnx(path, `a file with an unknown field ${field.number}`);
          header.push(ownRange(field.whole));
      }
      if (header.length + functions.length > MAX_MODEL_FIELDS) {
        throw notOnnx(path, `a file with more than ${MAX_MODEL_FIELDS} fields beside its graph`);
      }
    }
    if (irVersion === undefined) throw notOnnx(path, 'a file without an IR version');
    if (graphSpan === undefined) throw notOnnx(path, 'a file without a graph');
    if (opsets.length === 0) throw notOnnx(path, 'a file without opsets');
    return { irVersion, opsets, header, properties, functions, graphSpan };
  }

  private checkIrVersion(irVersion: number): void {
    if (irVersion >= 1 && irVersion <= MAX_IR_VERSION) return;
    throw new SlicedInferenceError(
      `model ${quoted(this.source.path)} must have an IR version from 1 to ${MAX_IR_VERSION}`,
      String(irVersion),
      'export it with a lower `ir_version`',
    );
  }

  private graph(span: Span): Graph {
    const { source, context } = this;
    const lists = {
      ...{ nodes: [], initializers: [], inputs: [], outputs: [] },
      ...{ valueInfos: [], metadata: [] },
    } satisfies Omit<ParsedGraph, 'name'>;
    const add = <List extends keyof typeof lists>(list: List, entry: ParsedGraph[List][number]): void => {
      checkCount((lists[list] as unknown[]).push(entry), list);
    };
    let name = '';
    for (const field of fields(source, span)) {
      const range = ownRange(field.whole);
      switch (field.number) {
        case GRAPH.node:
          add('nodes', { parsed: parseNode(source, content(field), context), field: range });
          break;
        case GRAPH.name:
          name = text(source, field);
          break;
        case GRAPH.initializer:
          add('initializers', { tensor: parseTensor(source, content(field), context), field: range });
          break;
        case GRAPH.sparseInitializer:
          return refuseSparse();
        case GRAPH.input:
        case GRAPH.output: {
          const declared = { ...parseValueInfo(source, content(field)), field: range };
          const isInput = field.number === GRAPH.input;
          if (isInput && declared.type.dataType === ONNX_FLOAT16) context.usesFloat16 = true;
          add(isInput ? 'inputs' : 'outputs', declared);
          break;
        }
        case GRAPH.valueInfo:
          add('valueInfos', range);
          break;
        case GRAPH.metadataProps:
          add('metadata', range);
          break;
      }
    }
    return linkGraph({ name, ...lists });
  }

  private opset(span: Span): Opset {
    const domain = textOf(this.source, span, OPSET.domain);
    let version = 0;
    readMessage(this.source, span, { [OPSET.version]: (field) => (version = integer(field)) });
    return { domain: domain === 'ai.onnx' ? '' : domain, version };
  }

  /** The value of an entry; empty when it is long or absent. Nobody relies on its encoding, so it is not checked. */
  private shortValueOf(span: Span): string {
    for (const field of fields(this.source, span)) {
      if (field.number !== ENTRY.value) continue;
      const value = content(field);
      return value.end - value.start > MAX_PROPERTY_BYTES ? '' : this.source.bytes(value).toString('utf8');
    }
    return '';
  }

  private localFunction(span: Span, field: SourceRange): LocalFunction {
    const { source, context } = this;
    let [domain, name, overload] = ['', '', ''];
    const inputs: string[] = [];
    const outputs: string[] = [];
    const nodes: FunctionNode[] = [];
    const opsets: Opset[] = [];
    const held: ReturnType<typeof readDefault>[] = [];
    readMessage(source, span, {
      [FUNCTION.name]: (part) => (name = text(source, part)),
      [FUNCTION.domain]: (part) => (domain = text(source, part)),
      [FUNCTION.overload]: (part) => (overload = text(source, part)),
      [FUNCTION.node]: (part) => {
        // Depth 1, because a `Constant` inside a function is not a weight of the graph.
        const node = parseNode(source, content(part), context, 1);
        const use = node.operators[node.operators.length - 1];
        nodes.push({ use, inputs: node.inputs, outputs: node.outputs });
        held.push(node);
      },
      [FUNCTION.input]: (part) => inputs.push(text(source, part)),
      [FUNCTION.output]: (part) => outputs.push(text(source, part)),
      [FUNCTION.opsetImport]: (part) => opsets.push(this.opset(content(part))),
      [FUNCTION.attributeProto]: (part) => held.push(readDefault(source, content(part), context)),
    });
    const hasExternal = held.some((part) => part.hasExternal);
    const pieces = hasExternal && takeApart(source, span, 'function', context);
    return {
      domain,
      name,
      overload,
      inputs,
      outputs,
      nodes,
      opsets,
      operators: held.flatMap(({ operators }) => operators),
      heldBytes: held.reduce((sum, { heldBytes }) => sum + heldBytes, 0),
      field,
      ...(pieces && { pieces }),
    };
  }
}
