-- One renewal of a process's share of slots.
--
-- KEYS: 1 the account. Its fields are the account's own and, as m:id, its members: all
-- in one key, so that what is lost is lost together.
-- ARGV: 1 id, 2 slots, 3 lease and 4 renewal in microseconds, 5 slots demanded,
--       6 slots in use, 7 slots that it may use until it hears of this renewal, 8 slots
--       that it may have while it is not known who has what, 9 whether it leaves.
-- Returns the slots lent and the number of members.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local id = 'm:' .. ARGV[1]
local slots, lease, renew = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local demand, used, has, claim, leaves = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9] == '1'

local account = redis.call('HMGET', KEYS[1], 'unsure', 'kept', 'members', 'levelled', 'at')
-- For one lease after this nobody knows who has what: the account is new or was lost,
-- or the clock has been set back; or, see below, nobody has been able to renew for so
-- long that leases have ended of processes that live.
local unsure, at = tonumber(account[1]), tonumber(account[5])
if not at or not unsure or now < at then
	unsure, at = now, now
end
local kept = tonumber(account[2]) or 0 -- by all: lent, or still in use
local members, levelled = tonumber(account[3]), tonumber(account[4])

-- A member is: demand, end of its lease, slots kept, target.
local function read(text)
	local d, ends, keeps, target = string.match(text, '^(%S+) (%S+) (%S+) (%S+)$')
	return tonumber(d), tonumber(ends), tonumber(keeps), tonumber(target)
end
local function write(member, d, ends, keeps, target)
	redis.call('HSET', KEYS[1], member, string.format('%.0f %.0f %.0f %.0f', d, ends, keeps, target))
end

local mine = redis.call('HGET', KEYS[1], id)
local target = 0
if mine then
	local _, _, keeps
	_, _, keeps, target = read(mine)
	kept, target = kept - (keeps or 0), target or 0 -- another version of this may have written it
end

-- The targets: once in a renewal for all members, since this looks at all of them.
if leaves or not mine or not levelled or now < levelled or now - levelled >= renew then
	local live = {}
	if not leaves then
		live[1] = {id = id, demand = demand, keeps = 0}
	end
	kept = 0
	local all = redis.call('HGETALL', KEYS[1])
	for i = 1, #all, 2 do
		if all[i] ~= id and string.sub(all[i], 1, 2) == 'm:' then
			local d, ends, keeps = read(all[i + 1])
			-- A lease that ends too late was made before Redis' clock was set back.
			if not ends or ends <= now or ends > now + lease then
				redis.call('HDEL', KEYS[1], all[i])
				if now - at > lease / 2 then
					unsure = now -- nobody came, so it is Redis that was away, or its clock has jumped
				end
			else
				live[#live + 1] = {id = all[i], demand = d, ends = ends, keeps = keeps}
				kept = kept + keeps
			end
		end
	end
	members, levelled = #live, now
	if slots >= 2 * members then -- one in hand for the first call of an idle process
		for _, m in ipairs(live) do
			m.demand = math.max(1, m.demand)
		end
	end
	table.sort(live, function(a, b)
		if a.demand ~= b.demand then
			return a.demand < b.demand
		end
		return a.id < b.id
	end)
	local left = slots
	for i, m in ipairs(live) do
		local rest = members - i + 1
		if m.demand > math.floor(left / rest) then
			-- From here on all want more than an equal part. What does not divide
			-- goes to some of them, and to others in the next lease.
			local part, over, turn = math.floor(left / rest), left % rest, math.floor(now / lease)
			for k = 0, rest - 1 do
				local extra = 0
				if (k + turn * over) % rest < over then
					extra = 1
				end
				live[i + k].target = part + extra
			end
			left = 0
			break
		end
		m.target = m.demand
		left = left - m.demand
	end
	local spare = 0
	if members > 0 then
		spare = math.floor(left / members)
	end
	for _, m in ipairs(live) do
		if m.id == id then
			target = m.target + spare
		else
			write(m.id, m.demand, m.ends, m.keeps, m.target + spare)
		end
	end
end

local share = 0
if leaves then
	redis.call('HDEL', KEYS[1], id)
else
	-- Only what nobody keeps can be lent. While it is not known who has what, nobody
	-- gets more than he has.
	share = math.max(0, math.min(target, slots - kept))
	if now - unsure < lease then
		share = math.min(share, claim)
	end
	-- What it has it may use until it hears that it has less, so that is lent to
	-- others at the earliest when it comes again.
	local keeps = math.max(share, used, has)
	write(id, demand, now + lease, keeps, target)
	kept = kept + keeps
end
redis.call('HSET', KEYS[1], 'unsure', string.format('%.0f', unsure), 'kept', kept, 'at', string.format('%.0f', now),
	'members', members, 'levelled', string.format('%.0f', levelled))
redis.call('PEXPIRE', KEYS[1], 60000 + math.ceil(lease / 1000))
return {share, members}
