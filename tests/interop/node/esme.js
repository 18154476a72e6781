// node smpp as an ESME; see ../scenario.py for what it is told (argv) and what it says (stdout).
'use strict';
const smpp = require('smpp');

const options = JSON.parse(process.argv[2]);
const say = (event, fields) => process.stdout.write(JSON.stringify(Object.assign({ event }, fields)) + '\n');
const session = smpp.connect({ host: options.host, port: options.port });
let ids = 0;
let deliveries = 0;
let submitted = false;

// Resolves with the answer of the request of that name.
const ask = (command, fields) => new Promise((answered) => session[command](fields || {}, answered));

const plain = (body) => (body && body.message !== undefined ? body.message : body);

async function submit(name, fields, message) {
  const answers = await Promise.all(fields.map((one) => ask('submit_sm', Object.assign({
    source_addr_ton: 1, source_addr_npi: 1, source_addr: options.source,
    dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: options.destination,
    registered_delivery: 1, data_coding: message.data_coding,
  }, one))));
  ids += answers.length;
  say('submitted', {
    name, ids: answers.map((answer) => answer.message_id), statuses: answers.map((answer) => answer.command_status),
  });
}

async function goWhenDone() {
  const wanted = options.mode === 'transmitter' ? 0 : options.deliveries || ids + 1;
  if (!submitted || deliveries < wanted) return;
  submitted = false;
  const answer = await ask('unbind');
  say('unbound', { status: answer.command_status });
  session.close(() => process.exit(0));
}

session.on('error', (error) => { say('error', { reason: error.message }); process.exit(1); });
session.on('enquire_link', (pdu) => session.send(pdu.response()));
session.on('deliver_sm', (pdu) => {
  session.send(pdu.response(), () => { deliveries += 1; goWhenDone(); });
  const text = plain(pdu.short_message);
  if (pdu.esm_class & 0x3c) {
    const stat = /\bstat:(\w+)/.exec(text);
    const id = /\bid:(\w+)/.exec(text);
    say('receipt', {
      id: id && id[1], stat: stat && stat[1], text,
      tlv_id: pdu.receipted_message_id, tlv_state: pdu.message_state,
      source: pdu.source_addr, destination: pdu.destination_addr,
    });
  } else {
    say('mo', { source: pdu.source_addr, destination: pdu.destination_addr, text });
  }
});

session.on('connect', async () => {
  const bound = await ask(`bind_${options.mode}`, {
    system_id: options.system_id, password: options.password, interface_version: 0x34,
  });
  say('bound', { mode: options.mode, status: bound.command_status, smsc: bound.system_id });
  if (bound.command_status) return session.close(() => process.exit(1));
  if (options.mode !== 'receiver') {
    await submit('short', [{ short_message: options.short.text }], options.short);
    const parts = options.long.parts.map((part, i) => ({
      short_message: {
        udh: Buffer.from([5, 0, 3, 77, options.long.parts.length, i + 1]),
        message: Buffer.from(part, 'hex'),
      },
    }));
    await submit('long', parts, options.long);
    await submit('payload', [{ short_message: '', message_payload: options.long.text }], options.long);
    await submit('ucs2', [{ short_message: options.ucs2.text }], options.ucs2);
  }
  const enquired = await ask('enquire_link');
  say('enquired', { status: enquired.command_status });
  submitted = true;
  goWhenDone();
});
