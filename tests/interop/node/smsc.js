// node smpp as an SMSC: takes every submit, answers receipts, delivers what it is told to.
//
// argv: one JSON object {port, system_id, password, receipt_delay (ms), id_form ("hex" | "decimal")}.
// stdin: JSON lines {deliver: {source, destination, text}} or {unbind: true}. stdout: JSON lines of what happens.
'use strict';
const smpp = require('smpp');

const options = Object.assign({ port: 0, receipt_delay: 50, id_form: 'decimal' }, JSON.parse(process.argv[2]));
const say = (event, fields) => process.stdout.write(JSON.stringify(Object.assign({ event }, fields)) + '\n');
const receivers = new Set();
let next = 1000000000;

const stamp = () => new Date().toISOString().replace(/\D/g, '').slice(2, 12);

function content(pdu) {
  const whole = pdu.message_payload && (pdu.message_payload.message || pdu.message_payload);
  const body = whole && whole.length ? pdu.message_payload : pdu.short_message;
  const text = body && body.message !== undefined ? body.message : body;
  return {
    text: Buffer.isBuffer(text) ? null : text,
    octets: Buffer.isBuffer(text) ? text.toString('hex') : null,
    udh: body && body.udh ? Buffer.concat(body.udh).toString('hex') : null,
    sar: pdu.sar_total_segments ? [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum] : null,
    payload: body === pdu.message_payload,
  };
}

function receipt(session, pdu, id) {
  const shown = options.id_form === 'hex' ? parseInt(id, 16).toString() : id;
  const dates = `submit date:${stamp()} done date:${stamp()}`;
  session.deliver_sm({
    source_addr_ton: pdu.dest_addr_ton, source_addr_npi: pdu.dest_addr_npi, source_addr: pdu.destination_addr,
    dest_addr_ton: pdu.source_addr_ton, dest_addr_npi: pdu.source_addr_npi, destination_addr: pdu.source_addr,
    esm_class: 4, data_coding: 0,
    short_message: `id:${shown} sub:001 dlvrd:001 ${dates} stat:DELIVRD err:000 text:none`,
  }, (answer) => say('receipt answered', { id, status: answer.command_status }));
}

const server = smpp.createServer((session) => {
  session.on('error', (error) => say('error', { reason: error.message }));
  session.on('close', () => { receivers.delete(session); say('closed'); });
  session.on('pdu', (pdu) => {
    if (pdu.command.startsWith('bind_') && !pdu.isResponse()) {
      const right = pdu.system_id === options.system_id && pdu.password === options.password;
      session.send(pdu.response(right ? { system_id: 'node' } : { command_status: smpp.ESME_RINVPASWD }));
      if (right && pdu.command !== 'bind_transmitter') receivers.add(session);
      say(right ? 'bound' : 'refused', { mode: pdu.command.slice(5), version: pdu.interface_version });
    } else if (pdu.command === 'submit_sm') {
      next += 1;
      const id = options.id_form === 'hex' ? next.toString(16) : String(next);
      say('submit', Object.assign({
        id, source: pdu.source_addr, destination: pdu.destination_addr, data_coding: pdu.data_coding,
        esm_class: pdu.esm_class, registered_delivery: pdu.registered_delivery, service_type: pdu.service_type,
      }, content(pdu)));
      session.send(pdu.response({ message_id: id }));
      if (pdu.registered_delivery & 3) {
        const to = receivers.has(session) ? session : receivers.values().next().value;
        setTimeout(() => to && receipt(to, pdu, id), options.receipt_delay);
      }
    } else if (pdu.command === 'enquire_link') {
      session.send(pdu.response());
    } else if (pdu.command === 'unbind') {
      say('unbind');
      session.send(pdu.response(), () => session.close());
    } else if (!pdu.isResponse()) {
      say('unexpected', { command: pdu.command });
      session.send(pdu.response({ command_status: smpp.ESME_RINVCMDID }));
    }
  });
});

require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  const session = receivers.values().next().value;
  if (!session) return say('error', { reason: 'nobody to deliver to' });
  if (order.deliver) {
    session.deliver_sm({
      source_addr_ton: 1, source_addr_npi: 1, source_addr: order.deliver.source,
      dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: order.deliver.destination,
      short_message: order.deliver.text,
    }, (answer) => say('delivered', { status: answer.command_status }));
  } else if (order.unbind) {
    session.unbind((answer) => { say('unbind answered', { status: answer.command_status }); session.close(); });
  }
});

server.listen(options.port, '127.0.0.1', () => say('listening', { port: server.address().port }));
