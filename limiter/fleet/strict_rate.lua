-- One call of a strict rate, by the generic cell rate algorithm: the account is the
-- time at which the bucket will be full again, and the time when that was said, so that
-- a clock that is set back can be told.
--
-- KEYS: 1 the account. ARGV: 1 microseconds between calls, 2 burst, 3 microseconds
-- that the call may wait.
-- Returns whether the call has its place, and the microseconds until it may start, or
-- until a call may be admitted.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local gap, burst, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local full, said = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%S+)$')
full, said = tonumber(full) or now, tonumber(said) or now
if now < said then
	full = full - (said - now)
end
full = math.max(now, full)
local wait = math.max(0, full + gap - now - gap * burst)
if wait > patience then
	return {0, math.ceil(wait - patience)}
end
full = full + gap
redis.call('SET', KEYS[1], string.format('%.17g %.0f', full, now), 'PX', string.format('%.0f', math.min(1e12, (full - now) / 1000 + 60000)))
return {1, math.ceil(wait)}
