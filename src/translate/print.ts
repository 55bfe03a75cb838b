import type { V2Call, V2CallBody } from './v2-call.js';

export const PRINT_FORMS = ['curl', 'http', 'json'] as const;
export type PrintForm = (typeof PRINT_FORMS)[number];

/** What stands for the credentials: shells fill them in. */
export const API_KEY_PLACE = '$CTCT_API_KEY';
export const TOKEN_PLACE = '$CTCT_ACCESS_TOKEN';

/** The call as a command line of curl, the credentials being variables of the shell. Ends with a line break. */
export function asCurl({ method, url, body }: V2Call): string {
  const words = [
    `curl -X ${method} ${shellText(withKey(url, ''))}"${API_KEY_PLACE}"`,
    `-H "Authorization: Bearer ${TOKEN_PLACE}"`,
    `-H 'Accept: application/json'`,
  ];
  if (body?.form === 'json') {
    words.push(`-H 'Content-Type: application/json'`, `--data-binary ${shellText(prettyJson(body.json))}`);
  }
  if (body?.form === 'multipart') {
    for (const { name, value } of body.fields) words.push(`--form-string ${shellText(`${name}=${value}`)}`);
    // The file is what follows, up to the line with the mark.
    const mark = freeMark(body.file.text);
    words.push(`-F '${body.file.name}=@-;filename=${body.file.fileName};type=text/csv' <<'${mark}'`);
    return `${words.join(' \\\n  ')}\n${endingInLine(body.file.text)}${mark}\n`;
  }
  return `${words.join(' \\\n  ')}\n`;
}

/** The call as an HTTP/1.1 message, with the places of the credentials in it. */
export function asHttp({ method, url, body }: V2Call): Buffer {
  const { host, pathname, search } = new URL(withKey(url, API_KEY_PLACE));
  const headers = [
    `${method} ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${TOKEN_PLACE}`,
    'Accept: application/json',
    ...(body === undefined
      ? []
      : [`Content-Type: ${body.contentType}`, `Content-Length: ${body.bytes.length}`]),
  ];
  return Buffer.concat([Buffer.from(`${headers.join('\r\n')}\r\n\r\n`), body?.bytes ?? Buffer.alloc(0)]);
}

/** The call as data: see schemas/translation.schema.json. */
export function asData({ method, url, body }: V2Call): Record<string, unknown> {
  return {
    method,
    url: withKey(url, API_KEY_PLACE),
    headers: {
      Authorization: `Bearer ${TOKEN_PLACE}`,
      Accept: 'application/json',
      ...(body?.form === 'json' && { 'Content-Type': body.contentType }),
    },
    ...(body !== undefined && bodyData(body)),
  };
}

function bodyData(body: V2CallBody): Record<string, unknown> {
  if (body.form === 'json') return { json: body.json };
  return {
    multipart: [
      ...body.fields,
      { name: body.file.name, fileName: body.file.fileName, contentType: 'text/csv', value: body.file.text },
    ],
  };
}

function withKey(url: string, key: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}api_key=${key}`;
}

/** JSON with two blanks for each level; arrays of plain values stand on one line. */
function prettyJson(value: unknown, indent = ''): string {
  const inner = `${indent}  `;
  if (Array.isArray(value) && value.some((item) => typeof item === 'object')) {
    const items = (value as unknown[]).map((item) => `${inner}${prettyJson(item, inner)}`);
    return `[\n${items.join(',\n')}\n${indent}]`;
  }
  if (Array.isArray(value)) return `[${(value as unknown[]).map((item) => JSON.stringify(item)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([name, field]) => `${inner}${JSON.stringify(name)}: ${prettyJson(field, inner)}`,
  );
  return fields.length === 0 ? '{}' : `{\n${fields.join(',\n')}\n${indent}}`;
}

/** The text as one word of a shell. */
function shellText(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function freeMark(text: string): string {
  const lines = new Set(text.split('\n'));
  for (let number = 0; ; number++) {
    const mark = number === 0 ? 'CSV' : `CSV${number}`;
    if (!lines.has(mark)) return mark;
  }
}

function endingInLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
