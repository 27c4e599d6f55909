import type { Mesh } from "./mesh.ts";
import type { SandboxLookup } from "./sandbox.ts";

/**
 * A source of objects, such as folders of manifests or a Kubernetes API server. It has the mesh and follows its
 * changes.
 */
export interface Source {
  /** The mesh as last read. The same object until something changes. */
  current(): Mesh;
  /**
   * Calls `listener` after each change, never before `current()` gives the new mesh. Returns a function that ends these
   * calls.
   */
  onChange(listener: (mesh: Mesh) => void): () => void;
  /** Stops following changes; `current()` keeps the last mesh. */
  close(): void;
}

/** A source for an agent: it also knows where the network namespaces of this node's pods are. */
export interface NodeSource extends Source {
  readonly sandboxes: SandboxLookup;
}
