import type { ObjectMeta } from "./meta.ts";

export interface Namespace {
  readonly meta: ObjectMeta;
}
