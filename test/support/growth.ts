import { readdirSync } from 'node:fs';

/** How much a line through the points (least squares) rises from the first to the last. */
export function growth(points: readonly (readonly [number, number])[]): number {
  const count = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return (covariance / variance) * ((points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0));
}

/** Open file descriptors of this process; 0 where the system does not tell. */
export function descriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}
