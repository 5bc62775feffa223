-- title: Whether an address is a loopback address (127.0.0.0/8, ::1)
-- example: select count(*) from network_flow where not is_loopback(net_dip)
CREATE MACRO is_loopback(address) AS in_subnet(address, '127.0.0.0/8') OR in_subnet(address, '::1/128')
