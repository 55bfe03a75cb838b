import { JSON_PLACES, UPLOAD_COLUMNS, type UploadColumn } from './columns.js';
import { invalidJson, optional, readArray, readObject, readText, type JsonObject } from './json.js';
import type { ContactTable } from './table.js';

/** One contact of `import_data`, as JSON writes it. */
interface ImportContact extends Record<string, unknown> {
  email_addresses: [string];
}

/**
 * A contact of `import_data` from a row. A blank cell is left out, unless `blanks` says that it means something.
 *
 * Quirk: what the columns call STATE and COUNTRY are `state_code` and `country_code` here, in bulk of free text both
 * (test/fixtures/v2/requests/add-documented).
 */
export function importContact(
  columns: readonly UploadColumn[],
  row: readonly string[],
  blanks: boolean,
): ImportContact {
  const contact: ImportContact = { email_addresses: [''] };
  const address: Record<string, string> = {};
  const customFields: { name: string; value: string }[] = [];
  columns.forEach(({ property }, index) => {
    const text = row[index] ?? '';
    const place = JSON_PLACES.get(property);
    if (property === 'emailAddress') contact.email_addresses = [text];
    if (place === undefined || (text === '' && !blanks)) return;
    if (place.in === 'contact') contact[place.key] = text;
    else if (place.in === 'address') address[place.key] = text;
    else customFields.push({ name: place.key, value: text });
  });
  if (Object.keys(address).length > 0) contact.addresses = [{ ...address, address_type: 'PERSONAL' }];
  if (customFields.length > 0) contact.custom_fields = customFields;
  return contact;
}

/** The one address of each contact. @throws ServiceError 400 as `readImportData`. */
export function readAddresses(contacts: readonly unknown[]): string[] {
  return contacts.map((contact, index) => {
    const place = `#/import_data/${index}`;
    return readAddress(readObject(contact, place), place);
  });
}

/**
 * The rows of `import_data`, a cell for each column; what no column names is passed over.
 * @throws ServiceError 400 for what is no contact, has another number of addresses than one, or a custom field that is not
 * spelled `custom_field_1`.
 */
export function readImportData(
  contacts: readonly unknown[],
  columns: readonly UploadColumn[],
): ContactTable['rows'] {
  return contacts.map((given, index) => {
    const place = `#/import_data/${index}`;
    const contact = readObject(given, place);
    const email = readAddress(contact, place);
    const [first] = readArray(contact.addresses ?? [], `${place}/addresses`);
    const address = first === undefined ? {} : readObject(first, `${place}/addresses/0`);
    const customFields = readCustomFields(contact, `${place}/custom_fields`);
    return columns.map(({ property }) => {
      const spot = JSON_PLACES.get(property);
      if (property === 'emailAddress' || spot === undefined) return email;
      if (spot.in === 'custom_fields') return customFields.get(spot.key) ?? '';
      const [holder, at] =
        spot.in === 'contact' ? [contact, place] : ([address, `${place}/addresses/0`] as const);
      return optional(holder[spot.key], (value) => readText(value, `${at}/${spot.key}`)) ?? '';
    });
  });
}

/** Quirk: several addresses in one contact were refused whole (test/fixtures/v2/requests/refused-three-addresses). */
function readAddress(contact: JsonObject, place: string): string {
  const addresses = readArray(contact.email_addresses, `${place}/email_addresses`);
  if (addresses.length > 1) {
    throw invalidJson(
      'max.items.violation',
      `${place}/email_addresses`,
      `${addresses.length} items were contained, but the maximum number of items allowed is 1.`,
    );
  }
  return readText(addresses[0] ?? '', `${place}/email_addresses/0`);
}

function readCustomFields(contact: JsonObject, place: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  readArray(contact.custom_fields ?? [], place).forEach((given, index) => {
    const field = readObject(given, `${place}/${index}`);
    const name = readText(field.name, `${place}/${index}/name`).toLowerCase();
    if (!CUSTOM_FIELDS.has(name)) {
      throw invalidJson(
        'regex.mismatch.custom_fields',
        `${place}/${index}/name`,
        `"${name.slice(0, 60)}" must be custom_field_1 to custom_field_15.`,
      );
    }
    fields.set(name, optional(field.value, (value) => readText(value, `${place}/${index}/value`)) ?? '');
  });
  return fields;
}

const CUSTOM_FIELDS: ReadonlySet<string> = new Set(
  UPLOAD_COLUMNS.flatMap(({ property }) => {
    const place = JSON_PLACES.get(property);
    return place?.in === 'custom_fields' ? [place.key] : [];
  }),
);
