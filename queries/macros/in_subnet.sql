-- title: Whether an address is in a subnet; null if one of them is malformed
-- description: IPv4 and IPv6. An IPv4-mapped address is in the subnets of its IPv4 address.
-- example: select count(*) from network_flow where in_subnet(net_dip, '10.0.0.0/8')
CREATE MACRO in_subnet(address, subnet) AS
CASE
  WHEN TRY_CAST(split_part(subnet, '/', 2) AS INTEGER) BETWEEN 0 AND CASE WHEN contains(subnet, ':') THEN 128 ELSE 32 END
  THEN CASE
    WHEN TRY_CAST(split_part(subnet, '/', 2) AS INTEGER) + CASE WHEN contains(subnet, ':') THEN 0 ELSE 96 END = 0
    THEN address_number(address) IS NOT NULL
    ELSE (address_number(address) >> CAST(32 + CASE WHEN contains(subnet, ':') THEN 96 ELSE 0 END
        - TRY_CAST(split_part(subnet, '/', 2) AS INTEGER) AS UHUGEINT))
      = (address_number(split_part(subnet, '/', 1)) >> CAST(32 + CASE WHEN contains(subnet, ':') THEN 96 ELSE 0 END
        - TRY_CAST(split_part(subnet, '/', 2) AS INTEGER) AS UHUGEINT))
  END
END
