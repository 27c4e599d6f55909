import { describe, expect, it } from "vitest";
import { LazyMap } from "../../agent/lib/lazy-map.ts";

describe("a map that makes its values when they are asked for", () => {
  const made: string[] = [];
  const map = new LazyMap(["a", "b"].map((key) => [key, () => (made.push(key), key.toUpperCase())] as const));

  it("knows its keys without making anything", () => {
    expect([map.size, map.has("a"), map.has("c"), [...map.keys()], made]).toEqual([2, true, false, ["a", "b"], []]);
  });

  it("makes each value once", () => {
    expect([map.get("b"), map.get("b"), map.get("c")]).toEqual(["B", "B", undefined]);
    expect([...map]).toEqual([
      ["a", "A"],
      ["b", "B"],
    ]);
    expect(made).toEqual(["b", "a"]);
  });
});
