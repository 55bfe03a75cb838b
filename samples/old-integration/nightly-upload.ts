/** An integration as there are many: it knows a URL, a form and a status, and nothing else. */
export async function nightlyUpload(
  base: string,
  login: string,
  contacts: string,
  list: string,
): Promise<string> {
  const [user = ''] = login.split('%').slice(1).join('%').split(':');
  const headers = { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  const activities = `${base}/ws/customers/${user}/activities`;
  const created = await fetch(activities, {
    method: 'POST',
    headers,
    body: new URLSearchParams({
      activityType: 'SV_ADD',
      data: contacts,
      lists: `http://api.constantcontact.com/ws/customers/${user}/lists/${list}`,
    }),
  });
  if (created.status !== 201) throw new Error(`refused: ${created.status} ${await created.text()}`);
  // As the scripts of the time did it: the id out of the Location, the status by a regular expression.
  const id = /[^/]+$/.exec(created.headers.get('location') ?? '')?.[0] ?? '';
  for (;;) {
    const entry = await (await fetch(`${activities}/${id}`, { headers })).text();
    const status = /<Status>(\w+)<\/Status>/.exec(entry)?.[1] ?? '';
    if (status === 'COMPLETE' || status === 'ERROR') return status;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
