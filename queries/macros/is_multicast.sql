-- title: Whether an address is a multicast address (224.0.0.0/4, ff00::/8) or the IPv4 broadcast address
-- example: select count(*) from network_flow where is_multicast(net_dip)
CREATE MACRO is_multicast(address) AS
in_subnet(address, '224.0.0.0/4') OR in_subnet(address, 'ff00::/8') OR in_subnet(address, '255.255.255.255/32')
