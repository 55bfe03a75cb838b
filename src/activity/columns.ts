/**
 * The properties of a contact that the bulk API knows, one row each: `ws` is the column's name in requests and uploads,
 * `heading` its name in the first line of an exported file; `v2Upload`, `v2Export` and `v3` are the names used by its
 * successors, undefined where the successor has none (or ignores it); `v2Ignored` is a name that v2 takes and ignores.
 *
 * `heading` of POSTAL CODE is Postal, as the one production consumer of ws exports read it.
 */
const PROPERTIES = {
  emailAddress: {
    ws: 'EMAIL ADDRESS',
    heading: 'Email Address',
    v2Upload: 'EMAIL',
    v2Export: 'Email',
    v3: 'email',
  },
  firstName: {
    ws: 'FIRST NAME',
    heading: 'First Name',
    v2Upload: 'FIRST NAME',
    v2Export: 'First Name',
    v3: 'first_name',
  },
  middleName: {
    ws: 'MIDDLE NAME',
    heading: 'Middle Name',
    v2Upload: undefined,
    v2Export: undefined,
    v3: undefined,
    v2Ignored: 'MIDDLE NAME',
  },
  lastName: {
    ws: 'LAST NAME',
    heading: 'Last Name',
    v2Upload: 'LAST NAME',
    v2Export: 'Last Name',
    v3: 'last_name',
  },
  jobTitle: {
    ws: 'JOB TITLE',
    heading: 'Job Title',
    v2Upload: 'JOB TITLE',
    v2Export: 'Job Title',
    v3: 'job_title',
  },
  companyName: {
    ws: 'COMPANY NAME',
    heading: 'Company Name',
    v2Upload: 'COMPANY NAME',
    v2Export: 'Company Name',
    v3: 'company_name',
  },
  workPhone: {
    ws: 'WORK PHONE',
    heading: 'Work Phone',
    v2Upload: 'WORK PHONE',
    v2Export: 'Work Phone',
    v3: 'work_phone',
  },
  homePhone: {
    ws: 'HOME PHONE',
    heading: 'Home Phone',
    v2Upload: 'HOME PHONE',
    v2Export: 'Home Phone',
    v3: 'home_phone',
  },
  addressLine1: {
    ws: 'ADDRESS LINE 1',
    heading: 'Address Line 1',
    v2Upload: 'ADDRESS LINE 1',
    v2Export: 'Address Line 1',
    v3: 'street',
  },
  addressLine2: {
    ws: 'ADDRESS LINE 2',
    heading: 'Address Line 2',
    v2Upload: 'ADDRESS LINE 2',
    v2Export: 'Address Line 2',
    v3: 'street2',
  },
  addressLine3: {
    ws: 'ADDRESS LINE 3',
    heading: 'Address Line 3',
    v2Upload: 'ADDRESS LINE 3',
    v2Export: 'Address Line 3',
    v3: undefined,
  },
  city: { ws: 'CITY', heading: 'City', v2Upload: 'CITY', v2Export: 'City', v3: 'city' },
  state: { ws: 'STATE', heading: 'State', v2Upload: 'STATE', v2Export: 'State', v3: 'state' },
  stateProvince: {
    ws: 'STATE/PROVINCE (US/CANADA)',
    heading: 'State/Province (US/Canada)',
    v2Upload: undefined,
    v2Export: undefined,
    v3: undefined,
    v2Ignored: 'US STATE/CA PROVINCE',
  },
  country: { ws: 'COUNTRY', heading: 'Country', v2Upload: 'COUNTRY', v2Export: 'Country', v3: 'country' },
  postalCode: {
    ws: 'POSTAL CODE',
    heading: 'Postal',
    v2Upload: 'ZIP/POSTAL CODE',
    v2Export: 'Zip/Postal Code',
    v3: 'zip',
  },
  subPostalCode: {
    ws: 'SUB POSTAL CODE',
    heading: 'Sub Postal',
    v2Upload: undefined,
    v2Export: undefined,
    v3: undefined,
    v2Ignored: 'SUB ZIP/POSTAL CODE',
  },
  customField1: customField(1),
  customField2: customField(2),
  customField3: customField(3),
  customField4: customField(4),
  customField5: customField(5),
  customField6: customField(6),
  customField7: customField(7),
  customField8: customField(8),
  customField9: customField(9),
  customField10: customField(10),
  customField11: customField(11),
  customField12: customField(12),
  customField13: customField(13),
  customField14: customField(14),
  customField15: customField(15),
} as const satisfies Record<string, ColumnNames>;

interface ColumnNames {
  readonly ws: string;
  readonly heading: string;
  readonly v2Upload: string | undefined;
  readonly v2Export: string | undefined;
  readonly v3: string | undefined;
  readonly v2Ignored?: string;
}

function customField<N extends number>(n: N) {
  return {
    ws: `CUSTOM FIELD ${n}`,
    heading: `Custom field ${n}`,
    v2Upload: `CUSTOM FIELD ${n}`,
    v2Export: `Custom field ${n}`,
    v3: `cf:custom_field_${n}`,
  } as const;
}

/** Properties that v2 has and ws has not. */
const V2_PROPERTIES = {
  birthdayDay: { v2Upload: 'BIRTHDAY_DAY', v2Export: undefined, v3: 'birthday_day' },
  birthdayMonth: { v2Upload: 'BIRTHDAY_MONTH', v2Export: undefined, v3: 'birthday_month' },
  anniversary: { v2Upload: 'ANNIVERSARY', v2Export: undefined, v3: 'anniversary' },
  contactId: { v2Upload: undefined, v2Export: 'Contact ID', v3: undefined },
} as const satisfies Record<string, Omit<ColumnNames, 'ws' | 'heading'>>;

/** A property of a contact, such as `firstName`. */
export type ContactProperty = keyof typeof PROPERTIES;
/** A property of a contact that v2 knows, those without a column in ws too. */
export type V2Property = ContactProperty | keyof typeof V2_PROPERTIES;

/** The ws name of a column, as the document writes it. */
export type ColumnName = (typeof PROPERTIES)[ContactProperty]['ws'];

/** A column of ws, and what it is called elsewhere. */
export interface Column extends ColumnNames {
  readonly property: ContactProperty;
  readonly ws: ColumnName;
}

/** All columns in the order of the document, the e-mail address first. */
export const COLUMNS: readonly Column[] = (Object.keys(PROPERTIES) as ContactProperty[]).map((property) => ({
  property,
  ...PROPERTIES[property],
}));

/** A column as v2 knows it; `ws` is undefined where ws has none. */
export interface V2Column extends Omit<ColumnNames, 'ws' | 'heading'> {
  readonly property: V2Property;
  readonly ws: ColumnName | undefined;
}

/** The columns of v2: those of ws, then what v2 has beyond them. */
export const V2_COLUMNS: readonly V2Column[] = [
  ...COLUMNS,
  ...(Object.keys(V2_PROPERTIES) as (keyof typeof V2_PROPERTIES)[]).map((property) => ({
    property,
    ws: undefined,
    ...V2_PROPERTIES[property],
  })),
];

export const EMAIL_ADDRESS: ColumnName = 'EMAIL ADDRESS';

const byKey = new Map<string, Column>();
for (const column of COLUMNS) {
  for (const name of [column.property, column.ws, column.heading]) byKey.set(columnKey(name), column);
}
// Names that clients and their users wrote for the same columns.
for (const [alias, property] of [
  ['email', 'emailAddress'],
  ['state/province', 'stateProvince'],
  ['us state/ca province', 'stateProvince'],
  ['zip/postal code', 'postalCode'],
] as const) {
  byKey.set(columnKey(alias), { property, ...PROPERTIES[property] });
}

/**
 * The column of that name, or undefined. Case, blanks, underscores and hyphens do not matter: `Email Address`,
 * `EMAIL ADDRESS`, `email_address`, `emailAddress` and `Custom Field1` are all found.
 */
export function findColumn(name: string): Column | undefined {
  return byKey.get(columnKey(name));
}

const v2ByKey = new Map(
  V2_COLUMNS.flatMap((column) =>
    [column.property, column.v2Upload, column.v2Export, column.v2Ignored].flatMap((name) =>
      name === undefined ? [] : [[columnKey(name), column] as const],
    ),
  ),
);

/** The column of that name, in ws or in v2, however spelled (see `findColumn`); undefined where neither has it. */
export function findV2Column(name: string): V2Column | undefined {
  return findColumn(name) ?? v2ByKey.get(columnKey(name));
}

/** The known column name that looks most like `name`, when one looks much like it. */
export function similarColumn(name: string): ColumnName | undefined {
  const key = columnKey(name);
  // No name is nearly as long; a hostile heading shall cost nothing.
  if (key.length > 64) return undefined;
  const best = COLUMNS.map(({ ws }) => ({ name: ws, distance: editDistance(columnKey(ws), key) })).reduce(
    (nearest, other) => (other.distance < nearest.distance ? other : nearest),
  );
  return best.distance <= Math.max(1, Math.floor(key.length / 3)) ? best.name : undefined;
}

function columnKey(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  // How far the letters of `a` read so far are from each beginning of `b`, the empty one aside.
  const other = Array.from(b);
  let row = other.map((_, j) => j + 1);
  for (const [i, letter] of Array.from(a).entries()) {
    let [diagonal, left] = [i, i + 1];
    row = row.map((above, j) => {
      left = Math.min(diagonal + (letter === other[j] ? 0 : 1), above + 1, left + 1);
      diagonal = above;
      return left;
    });
  }
  return row.at(-1) ?? a.length;
}
