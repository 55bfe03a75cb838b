import fc from 'fast-check';

// A property that fails has noticed a change, whatever the smallest example would be, and most notice at once.
fc.configureGlobal({ endOnFailure: true, interruptAfterTimeLimit: 200 });
