export { isMap, isScalar, parseAllDocuments, parseDocument, stringify, LineCounter } from "yaml";
export type { Document } from "yaml";
