-- Strict slots: a sorted set of the calls in flight, by the end of their leases, and of
-- two marks whose scores are the negatives of times: ! is when the set was made, and ?
-- when it was last looked at. A set without marks is new or has been lost; and if leases
-- have ended while nobody looked, Redis was away or its clock has jumped. Then no slot
-- is given until the processes have said again which calls they have, which they do in
-- the third part of a lease.
--
-- KEYS: 1 the set. ARGV: 1 slots, 2 lease in microseconds, 3 "take" or "keep", and
-- then calls.
-- "take" returns 1 if the call has got a slot. "keep" makes the leases longer of the
-- calls that still have one, and returns how many those are.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local slots, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
local made = -(tonumber(redis.call('ZSCORE', KEYS[1], '!')) or 0)
if made == 0 or made > now then -- or the clock has been set back
	made = now
end
local looked = -(tonumber(redis.call('ZSCORE', KEYS[1], '?')) or -now)
local ended = redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, string.format('%.0f', now))
if ended > 0 and now - looked > lease / 2 then
	made = now
end
redis.call('ZADD', KEYS[1], string.format('%.0f', -made), '!', string.format('%.0f', -now), '?')
-- Made before Redis' clock was set back.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now + 2 * lease), '+inf')
local kept = 0
if ARGV[3] == 'take' then
	if redis.call('ZSCORE', KEYS[1], ARGV[4]) then
		kept = 1 -- the client had no answer and has asked again
	elseif now - made >= lease / 2 and redis.call('ZCARD', KEYS[1]) - 2 < slots then
		redis.call('ZADD', KEYS[1], string.format('%.0f', now + lease), ARGV[4])
		kept = 1
	end
else
	for i = 4, #ARGV do
		if now - made < lease / 2 or redis.call('ZSCORE', KEYS[1], ARGV[i]) then
			redis.call('ZADD', KEYS[1], string.format('%.0f', now + lease), ARGV[i])
			kept = kept + 1
		end
	end
end
redis.call('PEXPIRE', KEYS[1], 86400000)
return kept
