-- One renewal of a process's share of a rate. The account is a bucket of tokens that
-- fills at the rate; tokens are taken out when they are lent.
--
-- KEYS: 1 the account, 2 the members.
-- ARGV: 1 id, 2 rate per second, 3 burst, 4 lease and 5 renewal in microseconds,
--       6 demand per second, 7 tokens asked for (negative: given back),
--       8 tokens spent on its own account meanwhile, 9 whether it leaves.
-- Returns the tokens lent, the share of the rate, and the number of members.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local id = ARGV[1]
local rate, burst, lease, renew = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local demand, ask, spent, leaves = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9] == '1'

local account = redis.call('HMGET', KEYS[1], 'stock', 'at', 'level', 'spare', 'members', 'levelled')
local at = tonumber(account[2]) or now
local stock = tonumber(account[1]) or 0 -- a new account begins empty
stock = math.min(burst, stock + math.max(0, now - at) * rate / 1000000)
stock = math.max(-burst, stock - spent)

-- A member is: demand, end of its lease, time of its last renewal, credit.
local function read(text)
	local d, ends, seen, credit = string.match(text, '^(%S+) (%S+) (%S+) (%S+)$')
	return tonumber(d), tonumber(ends), tonumber(seen), tonumber(credit)
end

local level, spare = tonumber(account[3]), tonumber(account[4])
local members, levelled = tonumber(account[5]), tonumber(account[6])
local mine = redis.call('HGET', KEYS[2], id)

-- The level up to which every demand is met: once in a renewal for all members, since
-- this is what looks at all of them.
if leaves or not mine or not levelled or now < levelled or now - levelled >= renew then
	local demands = {}
	if not leaves then
		demands[1] = demand
	end
	local all = redis.call('HGETALL', KEYS[2])
	for i = 1, #all, 2 do
		local d, ends = read(all[i + 1])
		if all[i] ~= id then
			-- A lease that ends too late was made before Redis' clock was set back.
			if ends <= now or ends > now + lease then
				redis.call('HDEL', KEYS[2], all[i])
			else
				demands[#demands + 1] = d
			end
		end
	end
	table.sort(demands)
	members = #demands
	level, spare, levelled = rate, 0, now
	local left = rate
	for i = 1, members do
		local equal = left / (members - i + 1)
		if demands[i] > equal then
			level, left = equal, 0
			break
		end
		left = left - demands[i]
	end
	if members > 0 then
		spare = left / members
	end
end

local lent, share = 0, 0
if ask < 0 then
	lent = ask
	stock = math.min(burst, stock - ask)
end
if leaves then
	redis.call('HDEL', KEYS[2], id)
else
	local credit, seen = 0, now
	if mine then
		local _
		_, _, seen, credit = read(mine)
	end
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
	share = math.min(demand, level) + spare
	redis.call('HSET', KEYS[2], id, string.format('%.17g %.0f %.0f %.17g', demand, now + lease, now, credit))
	redis.call('PEXPIRE', KEYS[2], 60000 + math.ceil(lease / 1000))
end
redis.call('HSET', KEYS[1], 'stock', string.format('%.17g', stock), 'at', string.format('%.0f', now),
	'level', string.format('%.17g', level), 'spare', string.format('%.17g', spare),
	'members', members, 'levelled', string.format('%.0f', levelled))
redis.call('PEXPIRE', KEYS[1], 60000 + math.ceil(lease / 1000))
return {lent, string.format('%.17g', share), members}
