/** States, provinces and territories by code: what the service called a "US/Canadian state/prov". */
const STATES_AND_PROVINCES = {
  // United States
  AL: 'Alabama',
  AK: 'Alaska',
  AZ: 'Arizona',
  AR: 'Arkansas',
  CA: 'California',
  CO: 'Colorado',
  CT: 'Connecticut',
  DE: 'Delaware',
  DC: 'District of Columbia',
  FL: 'Florida',
  GA: 'Georgia',
  HI: 'Hawaii',
  ID: 'Idaho',
  IL: 'Illinois',
  IN: 'Indiana',
  IA: 'Iowa',
  KS: 'Kansas',
  KY: 'Kentucky',
  LA: 'Louisiana',
  ME: 'Maine',
  MD: 'Maryland',
  MA: 'Massachusetts',
  MI: 'Michigan',
  MN: 'Minnesota',
  MS: 'Mississippi',
  MO: 'Missouri',
  MT: 'Montana',
  NE: 'Nebraska',
  NV: 'Nevada',
  NH: 'New Hampshire',
  NJ: 'New Jersey',
  NM: 'New Mexico',
  NY: 'New York',
  NC: 'North Carolina',
  ND: 'North Dakota',
  OH: 'Ohio',
  OK: 'Oklahoma',
  OR: 'Oregon',
  PA: 'Pennsylvania',
  RI: 'Rhode Island',
  SC: 'South Carolina',
  SD: 'South Dakota',
  TN: 'Tennessee',
  TX: 'Texas',
  UT: 'Utah',
  VT: 'Vermont',
  VA: 'Virginia',
  WA: 'Washington',
  WV: 'West Virginia',
  WI: 'Wisconsin',
  WY: 'Wyoming',
  // Territories, and the states that share the US postal service
  AS: 'American Samoa',
  FM: 'Federated States of Micronesia',
  GU: 'Guam',
  MH: 'Marshall Islands',
  MP: 'Northern Mariana Islands',
  PR: 'Puerto Rico',
  PW: 'Palau',
  VI: 'Virgin Islands',
  // Military post
  AA: 'Armed Forces Americas',
  AE: 'Armed Forces Europe',
  AP: 'Armed Forces Pacific',
  // Canada
  AB: 'Alberta',
  BC: 'British Columbia',
  MB: 'Manitoba',
  NB: 'New Brunswick',
  NL: 'Newfoundland and Labrador',
  NS: 'Nova Scotia',
  NT: 'Northwest Territories',
  NU: 'Nunavut',
  ON: 'Ontario',
  PE: 'Prince Edward Island',
  QC: 'Quebec',
  SK: 'Saskatchewan',
  YT: 'Yukon',
} as const satisfies Record<string, string>;

/** Older codes and other common names of the same places. */
const OTHER_NAMES = [
  'NF',
  'Newfoundland',
  'PQ',
  'YK',
  'Yukon Territory',
  'US Virgin Islands',
  'Washington DC',
];

const places = new Set(
  [...Object.keys(STATES_AND_PROVINCES), ...Object.values(STATES_AND_PROVINCES), ...OTHER_NAMES].map(key),
);

const countries = new Set(
  ['US', 'USA', 'United States', 'United States of America', 'CA', 'CAN', 'Canada'].map(key),
);

/** True for the code or the English name of a state, province or territory. Case, accents, dots and commas do not matter. */
export function isStateOrProvince(text: string): boolean {
  return places.has(key(text));
}

/** True for the United States and Canada, by code or name. */
export function isUsOrCanada(country: string): boolean {
  return countries.has(key(country));
}

function key(text: string): string {
  return text
    .normalize('NFD')
    .replace(/[\u0300-\u036f.,]/g, '')
    .trim()
    .replace(/\s+/g, ' ')
    .toLowerCase();
}
