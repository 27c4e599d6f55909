import { Gauge, type Registry } from "prom-client";
import type { AgentStatus } from "../agent-status.ts";

/** Certificates of the node, for alarms. No series if the agent has no authority. */
export function collectCertificateFigures(registry: Registry, status: () => AgentStatus): void {
  new Gauge({
    name: "ambit_certificate_expiry_timestamp_seconds",
    help: "when the certificate of an identity ends, in seconds since 1970",
    labelNames: ["identity"],
    registers: [registry],
    collect() {
      // Without this, identities that are gone would stay.
      this.reset();
      for (const { spiffeId: identity, notAfter } of status().certificates?.identities ?? []) {
        if (notAfter !== undefined) this.set({ identity }, Date.parse(notAfter) / 1_000);
      }
    },
  });
  new Gauge({
    name: "ambit_certificates_failing",
    help: "identities whose certificate is missing, or could not be renewed",
    registers: [registry],
    collect() {
      const identities = status().certificates?.identities ?? [];
      this.set(identities.filter(({ waiting, lastError }) => waiting !== undefined || lastError !== undefined).length);
    },
  });
}
