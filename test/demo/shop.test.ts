import { readdirSync, readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fillIn, writeShop } from "../../deploy/demo/shop/write-shop.ts";
import { loadManifests } from "../../agent/sources/load-manifests.ts";

test("the shop's manifests have no problem, and no placeholder is left in them", async () => {
  const shop = writeShop({ rate: 0 });
  try {
    const mesh = await loadManifests([shop.manifests]);
    expect(mesh.problems).toEqual([]);
    expect(mesh.services.map((service) => service.meta.name)).toEqual(["cache", "inventory", "pricing", "storefront"]);
    expect(mesh.httpRoutes).toHaveLength(1);
    expect(mesh.authorizationPolicies).toHaveLength(2);
    for (const file of readdirSync(shop.manifests)) {
      expect(readFileSync(join(shop.manifests, file), "utf8")).not.toContain("${");
    }
  } finally {
    shop.remove();
  }
  expect(existsSync(shop.manifests)).toBe(false);
});

test("a placeholder without a value is an error that names it", () => {
  expect(() => fillIn("a ${NAME} b", new Map())).toThrow("${NAME}");
  expect(fillIn("a ${NAME} b", new Map([["NAME", "x"]]))).toBe("a x b");
});
