import { expect, test } from "vitest";
import { editLabel } from "../../agent/cli/label-edit.ts";

const KEY = "ambit.dev/dataplane-mode";
const shop = { namespace: "shop", pod: undefined };

function enrolled(
  text: string,
  value = "ambient",
  target: { namespace: string; pod: string | undefined } = shop,
): string {
  const edit = editLabel(text, target, KEY, value);
  return edit.kind === "edited" ? edit.text : edit.kind;
}

const PLAIN = `# The shop.
apiVersion: v1
kind: Namespace
metadata:   # who it is
    name: shop
`;

test("a namespace without labels gets some, and keeps its comments and its indent", () => {
  expect(enrolled(PLAIN)).toBe(`# The shop.
apiVersion: v1
kind: Namespace
metadata:   # who it is
    labels:
      ${KEY}: ambient
    name: shop
`);
});

test("a label is added before the others, in the style they have", () => {
  const block = "kind: Namespace\nmetadata:\n  name: shop\n  labels:\n    # why\n    team: a\n";
  expect(enrolled(block)).toBe(
    `kind: Namespace\nmetadata:\n  name: shop\n  labels:\n    # why\n    ${KEY}: ambient\n    team: a\n`,
  );
  expect(enrolled("kind: Namespace\nmetadata: { name: shop, labels: { team: a } } # x\n")).toBe(
    `kind: Namespace\nmetadata: { name: shop, labels: { ${KEY}: ambient, team: a } } # x\n`,
  );
  expect(enrolled("kind: Namespace\nmetadata: { name: shop }\n")).toBe(
    `kind: Namespace\nmetadata: { labels: { ${KEY}: ambient }, name: shop }\n`,
  );
  expect(enrolled("kind: Namespace\nmetadata:\n  name: shop\n  labels: {}\n")).toBe(
    `kind: Namespace\nmetadata:\n  name: shop\n  labels: { "${KEY}": "ambient" }\n`,
  );
});

test("a label that is there changes its value only, and keeps its quotes", () => {
  const labelled = `kind: Namespace\nmetadata:\n  name: shop\n  labels:\n    ${KEY}: "none" # not yet\n`;
  expect(enrolled(labelled)).toBe(labelled.replace("none", "ambient"));
  expect(enrolled(labelled, "none")).toBe("unchanged");
});

test("the right document of several changes, and only that", () => {
  const text = `kind: Namespace\nmetadata: { name: other }\n---\n# mine\n${PLAIN}---\na:   1 # odd\n`;
  const result = enrolled(text);
  expect(result.startsWith("kind: Namespace\nmetadata: { name: other }\n---\n# mine\n")).toBe(true);
  expect(result.endsWith("---\na:   1 # odd\n")).toBe(true);
});

test.each(['{"name":"shop","labels":{"a":"b"}}', '{"name":"shop","labels":{}}', '{"name":"shop"}'])(
  "JSON stays JSON: metadata %s",
  (metadata) => {
    const result: unknown = JSON.parse(enrolled(`{"kind":"Namespace","metadata":${metadata}}`));
    expect(result).toMatchObject({ metadata: { name: "shop", labels: { [KEY]: "ambient" } } });
    expect(JSON.parse(enrolled(JSON.stringify(result), "none"))).toMatchObject({
      metadata: { labels: { [KEY]: "none" } },
    });
  },
);

test("leaving needs no label on a namespace that never joined, and one on a pod", () => {
  expect(enrolled(PLAIN, "none")).toBe("unchanged");
  const pod = "kind: Pod\nmetadata:\n  name: p\n  namespace: shop\n";
  expect(enrolled(pod, "none", { namespace: "shop", pod: "p" })).toContain(`${KEY}: none`);
});

test("what is not there, or not readable, is left alone", () => {
  expect(enrolled("kind: Namespace\nmetadata: { name: other }\n")).toBe("not-here");
  expect(enrolled("kind: Pod\nmetadata: { name: shop }\n")).toBe("not-here");
  expect(enrolled("kind: [\n")).toBe("not-here");
  expect(enrolled("")).toBe("not-here");
  expect(enrolled("- 1\n- 2\n")).toBe("not-here");
});
