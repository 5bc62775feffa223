-- title: Whether an address is private (RFC 1918, RFC 4193) or link-local
-- example: select distinct net_dip from network_flow where not is_private(net_dip) and not is_loopback(net_dip)
CREATE MACRO is_private(address) AS
in_subnet(address, '10.0.0.0/8') OR in_subnet(address, '172.16.0.0/12') OR in_subnet(address, '192.168.0.0/16')
OR in_subnet(address, '169.254.0.0/16') OR in_subnet(address, 'fc00::/7') OR in_subnet(address, 'fe80::/10')
