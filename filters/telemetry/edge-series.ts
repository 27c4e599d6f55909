import { Edge } from "./edges";
import { groupedLabels, standardLabels } from "./labels";
import { Series } from "./series";
import { Detail, noteGrouped, takeSeries } from "./series-budget";

/** The series of an edge and an outcome; one that says less if the namespaces of the edge have enough series. */
export function edgeSeries(
  edge: Edge,
  metric: string,
  protocol: string,
  clusterName: string,
  outcome: string,
  figures: string[],
): Series {
  const labels = standardLabels(edge.reporterName, edge.source, edge.destination, edge.service, protocol, clusterName);
  const known = Series.find(metric + labels + outcome);
  if (known !== null) return known;
  const source = edge.source.namespace;
  const destination = edge.destination.namespace;
  const detail = takeSeries(source, destination);
  if (detail == Detail.Full) return Series.make(metric + labels + outcome, figures);
  noteGrouped(source);
  const name =
    metric +
    groupedLabels(
      edge.reporterName,
      detail == Detail.None ? "" : source,
      detail == Detail.Namespaces ? destination : "",
      protocol,
    ) +
    outcome;
  const grouped = Series.find(name);
  return grouped === null ? Series.make(name, figures) : grouped;
}
