import { DECLARED_LOSSES } from './declared-losses.js';
import { differences, observe, type Difference, type Scenario } from './observe.js';
import { emulatedWs, gateway } from './sides.js';

/** A difference, where it was seen, and why it may be, if it may. */
export interface Found extends Difference {
  readonly scenario: string;
  readonly reason: string | undefined;
}

/** What is seen otherwise through the gateway before v2 than at the service of the time. */
export async function compare(scenario: Scenario): Promise<Found[]> {
  const [ws, through] = await Promise.all([emulatedWs(), gateway()]);
  try {
    const found = differences(await observe(ws, scenario), await observe(through, scenario));
    return found.map((difference) => ({
      ...difference,
      scenario: scenario.name,
      reason: DECLARED_LOSSES.find(({ shows }) => shows[scenario.name]?.includes(difference.place) === true)
        ?.reason,
    }));
  } finally {
    await Promise.all([ws.close(), through.close()]);
  }
}

/** Declared losses that did not show, though all scenarios were played. */
export function unseen(found: readonly Found[]): string[] {
  const seen = new Set(found.map(({ scenario, place }) => `${scenario}: ${place}`));
  return declared().filter((pair) => !seen.has(pair));
}

/** Every scenario and place that is declared. */
export function declared(): string[] {
  return DECLARED_LOSSES.flatMap(({ shows }) =>
    Object.entries(shows).flatMap(([scenario, places]) => places.map((place) => `${scenario}: ${place}`)),
  );
}
