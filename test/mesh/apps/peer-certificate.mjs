// peer-certificate.mjs HOST PORT: begins mTLS as the mesh does, without a certificate of its own, and prints the URI and the
// serial number of the certificate that is presented to it.
import { connect } from "node:tls";

const [host, port] = process.argv.slice(2);
const socket = connect({ host, port: Number(port), ALPNProtocols: ["istio"], rejectUnauthorized: false }, () => {
  const { subjectaltname, serialNumber } = socket.getPeerCertificate();
  const answer = { uri: subjectaltname.replace("URI:", ""), serial: serialNumber.toLowerCase() };
  process.stdout.write(JSON.stringify(answer), () => process.exit(0));
});
socket.on("error", (error) => {
  process.stderr.write(`${error.message}\n`, () => process.exit(1));
});
