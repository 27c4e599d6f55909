export { isMap, isScalar, isSeq, parseAllDocuments, stringify, LineCounter } from "yaml";
export type { Document } from "yaml";
