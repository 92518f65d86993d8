/** The ONNX messages that benchmarks and tests encode and decode, with the field numbers of onnx.proto3. */
import * as protobuf from 'protobufjs';

type Fields = Record<string, [number, string] | [number, string, 'repeated']>;

function message(fields: Fields) {
  const entries = Object.entries(fields);
  const all = entries.map(([name, [id, type, rule]]) => [name, { id, type, ...(rule && { rule }) }] as const);
  return { fields: Object.fromEntries(all) };
}

const root = protobuf.Root.fromJSON({
  nested: {
    StringStringEntryProto: message({ key: [1, 'string'], value: [2, 'string'] }),
    OperatorSetIdProto: message({ domain: [1, 'string'], version: [2, 'int64'] }),
    TensorProto: message({
      dims: [1, 'int64', 'repeated'],
      dataType: [2, 'int32'],
      floatData: [4, 'float', 'repeated'],
      int32Data: [5, 'int32', 'repeated'],
      stringData: [6, 'bytes', 'repeated'],
      int64Data: [7, 'int64', 'repeated'],
      name: [8, 'string'],
      rawData: [9, 'bytes'],
      doubleData: [10, 'double', 'repeated'],
      externalData: [13, 'StringStringEntryProto', 'repeated'],
      dataLocation: [14, 'int32'],
    }),
    SparseTensorProto: message({
      values: [1, 'TensorProto'],
      indices: [2, 'TensorProto'],
      dims: [3, 'int64', 'repeated'],
    }),
    AttributeProto: message({
      name: [1, 'string'],
      f: [2, 'float'],
      i: [3, 'int64'],
      s: [4, 'bytes'],
      t: [5, 'TensorProto'],
      g: [6, 'GraphProto'],
      floats: [7, 'float', 'repeated'],
      ints: [8, 'int64', 'repeated'],
      type: [20, 'int32'],
      refAttrName: [21, 'string'],
    }),
    NodeProto: message({
      input: [1, 'string', 'repeated'],
      output: [2, 'string', 'repeated'],
      name: [3, 'string'],
      opType: [4, 'string'],
      attribute: [5, 'AttributeProto', 'repeated'],
      docString: [6, 'string'],
      domain: [7, 'string'],
      overload: [8, 'string'],
    }),
    Dimension: message({ dimValue: [1, 'int64'], dimParam: [2, 'string'] }),
    TensorShapeProto: message({ dim: [1, 'Dimension', 'repeated'] }),
    TensorTypeProto: message({ elemType: [1, 'int32'], shape: [2, 'TensorShapeProto'] }),
    TypeProto: message({ tensorType: [1, 'TensorTypeProto'] }),
    ValueInfoProto: message({ name: [1, 'string'], type: [2, 'TypeProto'] }),
    TensorAnnotation: message({
      tensorName: [1, 'string'],
      quantParameterTensorNames: [2, 'StringStringEntryProto', 'repeated'],
    }),
    GraphProto: message({
      node: [1, 'NodeProto', 'repeated'],
      name: [2, 'string'],
      initializer: [5, 'TensorProto', 'repeated'],
      input: [11, 'ValueInfoProto', 'repeated'],
      output: [12, 'ValueInfoProto', 'repeated'],
      valueInfo: [13, 'ValueInfoProto', 'repeated'],
      quantizationAnnotation: [14, 'TensorAnnotation', 'repeated'],
      sparseInitializer: [15, 'SparseTensorProto', 'repeated'],
    }),
    FunctionProto: message({
      name: [1, 'string'],
      input: [4, 'string', 'repeated'],
      output: [5, 'string', 'repeated'],
      attribute: [6, 'string', 'repeated'],
      node: [7, 'NodeProto', 'repeated'],
      opsetImport: [9, 'OperatorSetIdProto', 'repeated'],
      domain: [10, 'string'],
      valueInfo: [12, 'ValueInfoProto', 'repeated'],
      overload: [13, 'string'],
    }),
    ModelProto: message({
      irVersion: [1, 'int64'],
      producerName: [2, 'string'],
      graph: [7, 'GraphProto'],
      opsetImport: [8, 'OperatorSetIdProto', 'repeated'],
      metadataProps: [14, 'StringStringEntryProto', 'repeated'],
      functions: [25, 'FunctionProto', 'repeated'],
    }),
  },
});

export const ModelProto = root.lookupType('ModelProto');
export const NodeProto = root.lookupType('NodeProto');
export const TensorProto = root.lookupType('TensorProto');
