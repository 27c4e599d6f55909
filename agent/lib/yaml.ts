export { isMap, isScalar, parseAllDocuments, stringify, LineCounter } from "yaml";
export type { Document } from "yaml";
