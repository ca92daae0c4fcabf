-- One renewal of a process's share of a rate. The account is a bucket of tokens that
-- fills at the rate; tokens are taken out when they are lent.
--
-- KEYS: 1 the account. Its fields are the account's own and, as m:id, its members: all
-- in one key, so that what is lost is lost together.
-- ARGV: 1 id, 2 rate per second, 3 burst, 4 lease and 5 renewal in microseconds,
--       6 demand per second, 7 tokens asked for (negative: given back),
--       8 tokens spent on its own account since it last heard, 9 what had overflowed by
--       then (negative: it has never heard), 10 its share then, 11 whether it leaves.
-- Returns the tokens lent, the number of members, the share of the rate, and what has
-- overflowed.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local id = 'm:' .. ARGV[1]
local rate, burst, lease, renew = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local demand, ask, spent, leaves = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[11] == '1'
local heard, part = tonumber(ARGV[9]), tonumber(ARGV[10])

local account = redis.call('HMGET', KEYS[1], 'stock', 'at', 'level', 'spare', 'members', 'levelled', 'overflow', 'cap')
local at = tonumber(account[2]) or now
local stock = tonumber(account[1]) or 0 -- a new account begins empty
local overflow = tonumber(account[7]) or 0
stock = stock + math.max(0, now - at) * rate / 1000000
if stock > burst then
	overflow, stock = overflow + stock - burst, burst
end

-- A member is: demand, end of its lease, time of its last renewal, credit.
local function read(text)
	local d, ends, seen, credit = string.match(text, '^(%S+) (%S+) (%S+) (%S+)$')
	return tonumber(d), tonumber(ends), tonumber(seen), tonumber(credit)
end

local level, spare = tonumber(account[3]), tonumber(account[4])
local members, levelled, cap = tonumber(account[5]), tonumber(account[6]), tonumber(account[8])
local mine = redis.call('HGET', KEYS[1], id)
local credit, seen = 1, now -- one for the first call
if mine then
	local _
	_, _, seen, credit = read(mine)
	credit, seen = credit or 0, seen or now -- another version of this may have written it
end

-- What it has spent on its own account is taken out, but for its part of what has run
-- over meanwhile: that nobody else can have had. Who was away for longer than a lease
-- has been taken for dead, and its part been lent to others; that is past.
if spent > 0 then
	if heard >= 0 then
		spent = math.max(0, spent - math.max(0, overflow - heard) * part / rate)
	end
	if heard < 0 or overflow < heard or now - seen > lease or not mine then
		spent = math.min(spent, 1 + part * burst / rate)
	end
	stock = math.max(-burst - rate * lease / 1000000, stock - spent)
end

-- The level up to which every demand is met: once in a renewal for all members, since
-- this is what looks at all of them.
if leaves or not mine or not levelled or not cap or now < levelled or now - levelled >= renew then
	local demands = {}
	if not leaves then
		demands[1] = demand
	end
	local all = redis.call('HGETALL', KEYS[1])
	for i = 1, #all, 2 do
		if all[i] ~= id and string.sub(all[i], 1, 2) == 'm:' then
			local d, ends = read(all[i + 1])
			-- A lease that ends too late was made before Redis' clock was set back.
			if not ends or ends <= now or ends > now + lease then
				redis.call('HDEL', KEYS[1], all[i])
			else
				demands[#demands + 1] = d
			end
		end
	end
	table.sort(demands)
	members = #demands
	-- Everybody gets what he wants up to the level, and an equal part of what is left.
	local function fill()
		local left = rate
		for i = 1, members do
			local equal = left / (members - i + 1)
			if demands[i] > equal then
				return equal, 0
			end
			left = left - demands[i]
		end
		return rate, left / math.max(1, members)
	end
	level, levelled = fill(), now
	-- The shares, by which they go on should Redis be away, leave something to those
	-- that are idle, or these could make no call until it is back.
	for i = 1, members do
		demands[i] = math.max(demands[i], rate / members / 10)
	end
	cap, spare = fill()
end

local lent, share = 0, 0
if ask < 0 then
	lent = ask
	stock = math.min(burst, stock - ask)
end
if leaves then
	redis.call('HDEL', KEYS[1], id)
else
	-- What it may have by now: its part of the time since it last came, and a
	-- little of what it has left. What nobody takes fills the bucket, and what is
	-- above half of it is there for everybody.
	credit = math.min(credit, 1 + level * renew / 1000000)
	credit = credit + level * math.max(0, math.min(lease, now - seen)) / 1000000
	local bonus = math.max(0, stock - burst / 2) / members
	if ask > 0 then
		lent = math.max(0, math.floor(math.min(ask, stock, credit + bonus)))
		stock = stock - lent
		credit = math.max(0, credit - lent)
	end
	share = math.min(math.max(demand, rate / members / 10), cap) + spare
	redis.call('HSET', KEYS[1], id, string.format('%.17g %.0f %.0f %.17g', demand, now + lease, now, credit))
end
redis.call('HSET', KEYS[1], 'stock', string.format('%.17g', stock), 'at', string.format('%.0f', now),
	'level', string.format('%.17g', level), 'cap', string.format('%.17g', cap), 'spare', string.format('%.17g', spare),
	'members', members, 'levelled', string.format('%.0f', levelled), 'overflow', string.format('%.17g', overflow))
redis.call('PEXPIRE', KEYS[1], 60000 + math.ceil(lease / 1000))
return {lent, members, string.format('%.17g', share), string.format('%.17g', overflow)}
