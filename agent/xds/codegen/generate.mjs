// `npm run gen`: TypeScript types of the xDS messages that Ambit sends, from the descriptors inside go-control-plane
// (its version is pinned in go.mod and go.sum). The result is checked in, so only a change of roots.txt needs Go.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, isFieldSet, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  FieldOptionsSchema,
  FileDescriptorSetSchema,
  MessageOptionsSchema,
} from "@bufbuild/protobuf/wkt";

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, "../../..");
const output = join(here, "../gen");
const roots = readFileSync(join(here, "roots.txt"), "utf8").trim().split("\n");

/** Files that only hold annotations for validators and documentation; nothing of them is sent. */
const ANNOTATIONS = /^(validate\/|udpa\/annotations\/|xds\/annotations\/|envoy\/annotations\/)/;

/** @param {string} proto path of a .proto file; the Go package that registers it. */
function goPackage(proto) {
  const folder = dirname(proto);
  return folder.startsWith("envoy/")
    ? `github.com/envoyproxy/go-control-plane/${folder}`
    : `github.com/cncf/xds/go/${folder}`;
}

function readDescriptors() {
  const folder = mkdtempSync(join(tmpdir(), "ambit-codegen-"));
  try {
    for (const file of ["go.mod", "go.sum", "main.go"]) cpSync(join(here, file), join(folder, file));
    const imports = [...new Set(roots.map(goPackage))].map((name) => `import _ "${name}"`);
    writeFileSync(join(folder, "imports.go"), ["package main", ...imports, ""].join("\n"));
    const encoded = execFileSync("go", ["run", "."], {
      cwd: folder,
      maxBuffer: 256 << 20,
      stdio: ["ignore", "pipe", "inherit"],
    });
    return fromBinary(FileDescriptorSetSchema, encoded).file;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Options carry the annotations, which are half of the bytes that a reader would have to decode at start-up. */
function stripAnnotations(file) {
  file.dependency = file.dependency.filter((path) => !ANNOTATIONS.test(path));
  file.options = undefined;
  file.service = [];
  const stripEnum = (descriptor) => {
    descriptor.options = undefined;
    for (const value of descriptor.value) value.options = undefined;
  };
  const stripMessage = (message) => {
    message.options = message.options?.mapEntry ? create(MessageOptionsSchema, { mapEntry: true }) : undefined;
    for (const field of message.field) field.options = wireOptions(field.options);
    for (const oneof of message.oneofDecl) oneof.options = undefined;
    message.nestedType.forEach(stripMessage);
    message.enumType.forEach(stripEnum);
  };
  file.messageType.forEach(stripMessage);
  file.enumType.forEach(stripEnum);
  return file;
}

/** What is left of a field's options: how it is encoded, and whether an editor should strike it through. */
function wireOptions(options) {
  if (options === undefined) return undefined;
  const kept = {};
  if (isFieldSet(options, FieldOptionsSchema.field.packed)) kept.packed = options.packed;
  if (options.deprecated) kept.deprecated = true;
  return Object.keys(kept).length === 0 ? undefined : create(FieldOptionsSchema, kept);
}

/** The roots and all that they need, dependencies first (the order of the descriptor set). */
function closure(files) {
  const byName = new Map(files.map((file) => [file.name, file]));
  const needed = new Set();
  const add = (name) => {
    if (needed.has(name)) return;
    const file = byName.get(name);
    if (file === undefined) throw new Error(`no descriptor of ${name}`);
    if (file.publicDependency.length > 0) throw new Error(`${name} re-exports a file, which is not provided for`);
    needed.add(name);
    file.dependency.forEach(add);
  };
  roots.forEach(add);
  return files.filter((file) => needed.has(file.name));
}

/** Runs the plugin by its own protocol: a request on standard input, the files on standard output. */
function generate(files) {
  const request = create(CodeGeneratorRequestSchema, {
    protoFile: files,
    // Well-known types come with the runtime.
    fileToGenerate: files.map((file) => file.name).filter((name) => !name.startsWith("google/protobuf/")),
    // protobuf-es writes TypeScript enums, which are not erasable syntax; these files alone are let off that check.
    parameter: "target=ts,import_extension=ts,ts_nocheck=true",
  });
  const plugin = join(repository, "node_modules/.bin/protoc-gen-es");
  const encoded = execFileSync(plugin, { input: toBinary(CodeGeneratorRequestSchema, request), maxBuffer: 256 << 20 });
  const response = fromBinary(CodeGeneratorResponseSchema, encoded);
  if (response.error) throw new Error(response.error);
  return response.file;
}

/** One list of every generated file, from which the registry that reads nested Any messages is made. */
function registrySource(files) {
  const lines = files.map(({ name }, i) => `import { ${exportOf(name)} as f${i} } from "./${moduleOf(name)}_pb.ts";`);
  const list = files.map((_, i) => `f${i}`).join(", ");
  return `// @generated by agent/xds/codegen/generate.mjs\n${lines.join("\n")}\n\nexport const files = [${list}];\n`;
}

const moduleOf = (proto) => proto.replace(/\.proto$/, "");
const exportOf = (proto) => `file_${moduleOf(proto).replaceAll(/[^a-zA-Z0-9]/g, "_")}`;

const files = closure(readDescriptors().map(stripAnnotations));
rmSync(output, { recursive: true, force: true });
for (const file of generate(files)) {
  const path = join(output, file.name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, file.content);
}
const generated = files
  .filter((file) => !file.name.startsWith("google/protobuf/"))
  .toSorted((a, b) => (a.name < b.name ? -1 : 1));
writeFileSync(join(output, "files.ts"), registrySource(generated));
console.log(`${generated.length} files in ${output}`);
