import { expect } from 'chai';
import fc from 'fast-check';
import { UsageError } from '../../src/activity/errors.js';
import { refuseUnknownFields, similarField } from '../../src/activity/fields.js';

const FIELDS = ['activityType', 'contacts', 'lists', 'exportListName'];

describe('similarField', () => {
  it('is the field itself, however it is spelled', () => {
    for (const field of FIELDS) {
      for (const name of [
        field,
        field.toUpperCase(),
        field.replace(/[A-Z]/g, '_$&'),
        field.split('').join(' - '),
      ]) {
        expect(similarField(name, FIELDS)).to.equal(field);
      }
    }
  });

  it('is the field when up to two letters stand where they should not', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FIELDS),
        fc.nat(),
        fc.nat(2),
        fc.constantFrom('', '%', '%%'),
        (field, where, gone, added) => {
          const at = where % (field.length - 1);
          const name = field.slice(0, at) + added + field.slice(at + gone);
          expect(similarField(name, FIELDS), name).to.equal(field);
        },
      ),
    );
  });

  it('is none where more is odd: more than two letters, in a long name more than a quarter of it', () => {
    expect(similarField('li%%%', FIELDS)).to.equal(undefined);
    expect(similarField('lis%%%', FIELDS)).to.equal(undefined);
    expect(similarField('exportName', ['exportListName', 'exportOptName'])).to.equal('exportOptName');
    expect(similarField('exportDate', ['exportOptDate'])).to.equal('exportOptDate');
    expect(similarField('eDate', ['exportOptDate'])).to.equal(undefined);
    expect(similarField('list', [])).to.equal(undefined);
    expect(similarField('', ['lists'])).to.equal(undefined);
  });

  it('is the first of two that are as like', () => {
    expect(similarField('listX', ['listA', 'listB'])).to.equal('listA');
    expect(similarField('listB', ['listA', 'listB'])).to.equal('listB');
  });

  it('counts no letter twice', () => {
    expect(similarField('aaaa', ['aaaaaaaa'])).to.equal(undefined);
    expect(similarField('aaaaa', ['aaaaaaaa'])).to.equal(undefined);
    expect(similarField('aaaaaa', ['aaaaaaaa'])).to.equal('aaaaaaaa');
  });
});

describe('refuseUnknownFields', () => {
  it('lets pass what is known, and what is undefined', () => {
    refuseUnknownFields({ lists: 1, contacts: null, colour: undefined }, FIELDS, 'request');
    refuseUnknownFields({}, [], 'request');
  });

  it('names the object, the field, and what may have been meant', () => {
    expect(() => {
      refuseUnknownFields({ lists: 1, list: 2 }, FIELDS, 'request');
    })
      .to.throw(UsageError, /^request: "list" is not a field of it; did you mean lists\?$/)
      .with.property('code', 'OPTION_INVALID');
    expect(() => {
      refuseUnknownFields({ colour: 2 }, FIELDS, 'request');
    }).to.throw(
      /^request: "colour" is not a field of it; there are activityType, contacts, lists, exportListName$/,
    );
  });
});
