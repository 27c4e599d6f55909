export { isMap, isPair, isScalar, isSeq, parseAllDocuments, stringify, LineCounter } from "yaml";
export type { Document } from "yaml";
