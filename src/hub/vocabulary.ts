// The words of a message's life as the front doors need them. They are defined where the rows are, because the schema holds them to it.

export { AUTHORITIES, DELIVERY_STATES } from '../store/deliveries.ts';
export { KINDS } from '../store/messages.ts';
