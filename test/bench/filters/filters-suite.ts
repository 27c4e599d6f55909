import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureEnvoy } from "../../../agent/envoy/find-envoy.ts";
import { exec } from "../../../agent/lib/exec.ts";
import { LoadClient } from "../load-client.ts";
import { cpuMicroseconds } from "../process-cost.ts";
import { figure, ratio, type Figure } from "../statistics.ts";
import { filterEnvoy, policyConfiguration, type FilterSetup } from "./filters-config.ts";
import { PROBES } from "./probe-sources.ts";
import { tokenSubjects } from "./token-subjects.ts";

/** CPU µs a request in one Envoy with one worker. */
export interface FilterCost {
  readonly name: string;
  readonly cpu: Figure;
  /** What it costs more than the same request without it, for one time that it is done. */
  readonly added: Figure;
  /** The same, as a part of a direct response. */
  readonly ofDirect: Figure;
}

export interface FiltersRun {
  readonly direct: Figure;
  readonly proxied: Figure;
  readonly costs: readonly FilterCost[];
  /** The three built-in filters together, as a part of a direct response. */
  readonly share: Figure;
}

export interface FiltersOptions {
  readonly root: string;
  readonly rounds: number;
  readonly progress: (text: string) => void;
}

const THREE = "the three filters, one module";
const SECONDS = 1.5;
const CONNECTIONS = 8;

interface Subject {
  readonly name: string;
  readonly times: number;
  readonly port: number;
  readonly pid: number;
  readonly cpu: number[];
  readonly tokens: readonly string[];
}

/** Envoys side by side on loopback, each with one module and one worker, asked the same in turns. */
export async function runFilters({ root, rounds, progress }: FiltersOptions): Promise<FiltersRun> {
  const folder = mkdtempSync(join(tmpdir(), "ambit-bench-filters-"));
  const envoy = (await ensureEnvoy()).path;
  const running: ChildProcess[] = [];
  const start = async (
    name: string,
    times: number,
    upstream: number | undefined,
    module: FilterSetup["module"],
    tokens: readonly string[] = [],
  ): Promise<Subject> => {
    const port = await freePort();
    const adminSocket = join(folder, `${running.length}.sock`);
    const config = join(folder, `${running.length}.json`);
    writeFileSync(config, JSON.stringify(filterEnvoy({ port, adminSocket, upstream, module })));
    const log = join(folder, `${running.length}.log`);
    const child = spawn(
      envoy,
      ["-c", config, "--concurrency", "1", "--disable-hot-restart", "-l", "error", "--log-path", log],
      { stdio: "ignore" },
    );
    running.push(child);
    for (const deadline = Date.now() + 30_000; !existsSync(adminSocket);) {
      if (Date.now() > deadline || child.exitCode !== null)
        throw new Error(`Envoy with ${name} does not start; see ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return { name, times, port, pid: child.pid ?? 0, cpu: [], tokens };
  };
  const client = new LoadClient([], join(root, "test/bench"));
  try {
    const direct = await start("direct response", 1, undefined, undefined);
    const proxied = await start("proxied", 1, direct.port, undefined);
    const subjects: Subject[] = [];
    for (const { name, times, source } of PROBES) {
      progress(`filters: ${name} is compiled`);
      const file = await compileProbe(root, folder, `probe-${subjects.length}`, source);
      subjects.push(await start(name, times, direct.port, { file, rootId: "", configuration: "" }));
    }
    const builtIn = { rootId: "outbound", configuration: policyConfiguration() };
    for (const name of ["telemetry", "auth", "retry"]) {
      progress(`filters: ${name} is compiled`);
      await exec(process.execPath, [join(root, "filters/build.mjs"), name], { timeoutMs: 120_000 });
      const file = join(root, `dist/filters/${name}.wasm`);
      subjects.push(await start(`${name} alone`, 1, direct.port, { ...builtIn, file }));
    }
    const chain = { ...builtIn, file: join(root, "dist/filters/chain.wasm") };
    subjects.push(await start(THREE, 1, direct.port, chain));
    const asking = tokenSubjects();
    for (const { name, tokens } of asking.subjects) {
      const configuration = policyConfiguration(asking.rule);
      subjects.push(await start(name, 1, direct.port, { ...chain, configuration }, tokens));
    }

    const all = [direct, proxied, ...subjects];
    for (let round = -1; round < rounds; round++) {
      for (const subject of all) {
        progress(`filters: ${subject.name}, round ${round + 1} of ${rounds}`);
        let before = 0;
        const job = {
          kind: "http1",
          host: "127.0.0.1",
          port: subject.port,
          connections: CONNECTIONS,
          tokens: subject.tokens,
        } as const;
        // The first round only warms up.
        const { answers } = await client.run({ ...job, seconds: round < 0 ? 0.5 : SECONDS }, () => {
          before = cpuMicroseconds([subject.pid]);
        });
        if (round >= 0) subject.cpu.push((cpuMicroseconds([subject.pid]) - before) / answers);
      }
    }
    const costs = subjects.map(({ name, times, cpu }): FilterCost => {
      const added = cpu.map((value, round) => (value - (proxied.cpu[round] ?? 0)) / times);
      return { name, cpu: figure(cpu), added: figure(added), ofDirect: ratio(added, direct.cpu) };
    });
    const three = costs.find(({ name }) => name === THREE);
    if (three === undefined) throw new TypeError("the three filters were not measured");
    return { direct: figure(direct.cpu), proxied: figure(proxied.cpu), costs, share: three.ofDirect };
  } finally {
    client.close();
    for (const child of running) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compileProbe(root: string, folder: string, name: string, source: string): Promise<string> {
  const file = join(folder, `${name}.ts`);
  const out = join(folder, `${name}.wasm`);
  writeFileSync(file, source);
  const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
  await exec(
    process.execPath,
    [asc, `${name}.ts`, "-o", `${name}.wasm`, "-O3", "--noAssert", "--runtime", "stub", "--use", "abort="],
    { cwd: folder },
  );
  return out;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
