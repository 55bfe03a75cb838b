import { V2_COLUMNS, type V2Column, type V2Property } from '../activity/columns.js';

/** A column that uploads may have; its name is `v2Upload`. */
export type UploadColumn = V2Column & { readonly v2Upload: string };
/** A column that exports may have; its name is `v2Export`. */
export type ExportColumn = V2Column & { readonly v2Export: string };

export const UPLOAD_COLUMNS = V2_COLUMNS.filter(
  (column): column is UploadColumn => column.v2Upload !== undefined,
);
export const EXPORT_COLUMNS = V2_COLUMNS.filter(
  (column): column is ExportColumn => column.v2Export !== undefined,
);

/** Names that v2 takes and passes over, together with what they name. */
const IGNORED_COLUMNS: ReadonlySet<string> = new Set(
  V2_COLUMNS.flatMap(({ v2Ignored }) => (v2Ignored === undefined ? [] : [v2Ignored.toLowerCase()])),
);

/**
 * Quirk: the address is `EMAIL` in JSON, `Email address` in a file, `Email` or `Email Address` in an export
 * (test/fixtures/v2/requests/export-sdk-default).
 */
const ADDRESS_NAMES = ['email', 'email address'] as const;

const uploads = byName(UPLOAD_COLUMNS.map((column) => [column.v2Upload, column]));
const exports = byName(EXPORT_COLUMNS.map((column) => [column.v2Export, column]));

/** The column that v2 means by that name in an upload, whatever its case; undefined for one it has not, or ignores. */
export function uploadColumn(name: string): UploadColumn | undefined {
  return uploads.get(nameKey(name));
}

/** The column that v2 means by that name in an export, whatever its case. */
export function exportColumn(name: string): ExportColumn | undefined {
  return exports.get(nameKey(name));
}

export function isIgnored(name: string): boolean {
  return IGNORED_COLUMNS.has(nameKey(name));
}

/** The heading of the column in a file that is sent: `Email address`, `First Name`, `Birthday_Day`. */
export function fileHeading({ property, v2Upload }: UploadColumn): string {
  if (property === 'emailAddress') return 'Email address';
  return v2Upload.replace(/[A-Z]+/g, (word) => word.charAt(0) + word.slice(1).toLowerCase());
}

function byName<C extends V2Column>(entries: readonly (readonly [string, C])[]): ReadonlyMap<string, C> {
  return new Map(
    entries.flatMap(([name, column]) =>
      (column.property === 'emailAddress' ? ADDRESS_NAMES : [nameKey(name)]).map((key) => [key, column]),
    ),
  );
}

function nameKey(name: string): string {
  return name.trim().toLowerCase();
}

/** Where the value of a property stands in a contact of `import_data`. */
export type JsonPlace =
  | { readonly in: 'contact'; readonly key: string }
  | { readonly in: 'address'; readonly key: string }
  | { readonly in: 'custom_fields'; readonly key: string };

const CONTACT_KEYS = {
  firstName: 'first_name',
  lastName: 'last_name',
  birthdayDay: 'birthday_day',
  birthdayMonth: 'birthday_month',
  anniversary: 'anniversary',
  jobTitle: 'job_title',
  companyName: 'company_name',
  workPhone: 'work_phone',
  homePhone: 'home_phone',
} as const satisfies Partial<Record<V2Property, string>>;

const ADDRESS_KEYS = {
  addressLine1: 'line1',
  addressLine2: 'line2',
  addressLine3: 'line3',
  city: 'city',
  state: 'state_code',
  country: 'country_code',
  postalCode: 'postal_code',
} as const satisfies Partial<Record<V2Property, string>>;

/** By property, for every column of an upload but the address. */
export const JSON_PLACES: ReadonlyMap<V2Property, JsonPlace> = new Map([
  ...placesIn('contact', CONTACT_KEYS),
  ...placesIn('address', ADDRESS_KEYS),
  ...UPLOAD_COLUMNS.flatMap(({ property, v2Upload }): [V2Property, JsonPlace][] => {
    const field = /^CUSTOM FIELD ([0-9]+)$/.exec(v2Upload)?.[1];
    return field === undefined ? [] : [[property, { in: 'custom_fields', key: `custom_field_${field}` }]];
  }),
]);

function placesIn(
  where: 'contact' | 'address',
  keys: Partial<Record<V2Property, string>>,
): [V2Property, JsonPlace][] {
  return Object.entries(keys).map(([property, key]) => [property as V2Property, { in: where, key }]);
}
