import { XmlVocabulary } from '../format/xml-reader.js';

/** RFC 4287. */
export const ATOM_NAMESPACE = 'http://www.w3.org/2005/Atom';
/** RFC 5023. */
export const APP_NAMESPACE = 'http://www.w3.org/2007/app';
/** The namespace of Activity, ContactList and their children. */
export const CTCT_NAMESPACE = 'http://ws.constantcontact.com/ns/1.0/';

export const ATOM_MEDIA_TYPE = 'application/atom+xml';
export const SERVICE_MEDIA_TYPE = 'application/atomsvc+xml';
export const FORM_MEDIA_TYPE = 'application/x-www-form-urlencoded';
export const CONTENT_MEDIA_TYPE = 'application/vnd.ctct+xml';

/** One vocabulary for all ws documents, so that element names can be compared by identity. */
export const vocabulary = new XmlVocabulary();
