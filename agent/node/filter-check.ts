import type { FilterCheck } from "../compile/view/options.ts";
import { messageOf } from "../lib/errors.ts";
import { filterModule } from "./filter-module.ts";

/** The part of the global of this name that is used here. Its types come with those of browsers only. */
declare const WebAssembly: {
  readonly Module: {
    new (bytes: Buffer): object;
    imports(module: object): readonly { readonly name: string }[];
  };
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, () => never>>>>,
  ) => { readonly exports: unknown };
};

/** What the module exports for this (filters/check-config.ts). */
interface Checker {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly malloc: (size: number) => number;
  /** How many bytes say why the module refuses the configuration; 0: it takes it. */
  readonly check_configuration: (start: number, size: number) => number;
  /** Where these bytes are. */
  readonly check_answer: () => number;
}

/** The memory of a module never shrinks. */
const MAX_MEMORY = 32 << 20;

/**
 * Asks the very module that Envoy loads, in this process, about configurations. It reads them as it does in Envoy, and calls no
 * function of the host. Where it does, or traps, the configuration is refused, and the next one gets a new instance.
 */
export function openFilterCheck(bytes: Buffer = filterModule()): FilterCheck {
  const module = new WebAssembly.Module(bytes);
  let checker: Checker | undefined = instance(module);
  return (configuration) => {
    const asked = (checker ??= instance(module));
    checker = undefined;
    let answer: string | undefined;
    try {
      answer = ask(asked, Buffer.from(configuration));
    } catch (error) {
      return `they fail: ${messageOf(error)}`;
    }
    if (asked.memory.buffer.byteLength <= MAX_MEMORY) checker = asked;
    return answer;
  };
}

function ask({ memory, malloc, check_configuration, check_answer }: Checker, bytes: Buffer): string | undefined {
  const start = malloc(bytes.length);
  new Uint8Array(memory.buffer).set(bytes, start);
  const size = check_configuration(start, bytes.length);
  return size === 0 ? undefined : Buffer.from(memory.buffer, check_answer(), size).toString();
}

function instance(module: object): Checker {
  const refuse = (name: string) => (): never => {
    throw new Error(`${name} is not for reading a configuration`);
  };
  const env = Object.fromEntries(WebAssembly.Module.imports(module).map(({ name }) => [name, refuse(name)]));
  const { exports } = new WebAssembly.Instance(module, { env });
  return exports as Checker;
}
