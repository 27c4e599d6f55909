import type { Mesh } from "./mesh.ts";

/** Something that knows the mesh and learns of its changes: folders of manifests, or a Kubernetes API server. */
export interface Source {
  /** The mesh as last read. The same object until something changes. */
  current(): Mesh;
  /** Calls `listener` after each change, never before `current()` gives the new mesh. Returns how to stop that. */
  onChange(listener: (mesh: Mesh) => void): () => void;
  /** Stops learning; `current()` stays what it was. */
  close(): void;
}
