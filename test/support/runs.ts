/** How often a property is tried: so often, or as `npm run fuzz` says. */
export function runs(usual: number): number {
  const asked = Number(process.env.CTCT_FUZZ_RUNS ?? '');
  return asked > 0 ? asked : usual;
}
