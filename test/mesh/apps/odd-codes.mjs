// HTTP on 8080: answers each path with the status that the path names.
import { createServer } from "node:http";

createServer({ keepAliveTimeout: 300_000 }, (request, response) => {
  response.writeHead(Number(request.url.slice(1)), "odd").end();
}).listen(8080, "::");
