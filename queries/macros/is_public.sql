-- title: Whether an address is one of the internet (not loopback, private, multicast or unspecified)
-- example: select net_dip, count(*) from network_flow where is_public(net_dip) group by 1
CREATE MACRO is_public(address) AS
NOT (is_loopback(address) OR is_private(address) OR is_multicast(address)
  OR in_subnet(address, '0.0.0.0/8') OR in_subnet(address, '::/128'))
