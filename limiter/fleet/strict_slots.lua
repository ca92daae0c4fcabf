-- Strict slots: a sorted set of the calls in flight, by the end of their leases.
--
-- KEYS: 1 the set. ARGV: 1 slots, 2 lease in microseconds, 3 "take" or "keep", and
-- then calls.
-- "take" returns 1 if the call has got a slot. "keep" makes the leases longer of the
-- calls that still have one, and returns how many those are.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local slots, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
-- Made before Redis' clock was set back.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now + 2 * lease), '+inf')
local kept = 0
if ARGV[3] == 'take' then
	if redis.call('ZCARD', KEYS[1]) < slots then
		redis.call('ZADD', KEYS[1], string.format('%.0f', now + lease), ARGV[4])
		kept = 1
	end
else
	for i = 4, #ARGV do
		if redis.call('ZSCORE', KEYS[1], ARGV[i]) then
			redis.call('ZADD', KEYS[1], string.format('%.0f', now + lease), ARGV[i])
			kept = kept + 1
		end
	end
end
redis.call('PEXPIRE', KEYS[1], 60000 + math.ceil(lease / 1000))
return kept
