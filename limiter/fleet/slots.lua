-- One renewal of a process's share of slots.
--
-- KEYS: 1 the account, 2 the members.
-- ARGV: 1 id, 2 slots, 3 lease and 4 renewal in microseconds, 5 slots demanded,
--       6 slots in use, 7 slots that it believes it has, 8 whether it leaves.
-- Returns the slots lent and the number of members.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local id = ARGV[1]
local slots, lease, renew = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local demand, used, claim, leaves = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'

local account = redis.call('HMGET', KEYS[1], 'created', 'kept', 'members', 'levelled')
local created = tonumber(account[1]) or now
local kept = tonumber(account[2]) or 0 -- by all: lent, or still in use
local members, levelled = tonumber(account[3]), tonumber(account[4])

-- A member is: demand, end of its lease, slots kept, target.
local function read(text)
	local d, ends, keeps, target = string.match(text, '^(%S+) (%S+) (%S+) (%S+)$')
	return tonumber(d), tonumber(ends), tonumber(keeps), tonumber(target)
end
local function write(member, d, ends, keeps, target)
	redis.call('HSET', KEYS[2], member, string.format('%.0f %.0f %.0f %.0f', d, ends, keeps, target))
end

local mine = redis.call('HGET', KEYS[2], id)
local target = 0
if mine then
	local _, _, keeps
	_, _, keeps, target = read(mine)
	kept = kept - keeps
end

-- The targets: once in a renewal for all members, since this looks at all of them.
if leaves or not mine or not levelled or now < levelled or now - levelled >= renew then
	local live = {}
	if not leaves then
		live[1] = {id = id, demand = demand, keeps = 0}
	end
	kept = 0
	local all = redis.call('HGETALL', KEYS[2])
	for i = 1, #all, 2 do
		if all[i] ~= id then
			local d, ends, keeps = read(all[i + 1])
			-- A lease that ends too late was made before Redis' clock was set back.
			if ends <= now or ends > now + lease then
				redis.call('HDEL', KEYS[2], all[i])
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
	redis.call('HDEL', KEYS[2], id)
else
	-- Only what nobody keeps can be lent. A new account does not know yet who has
	-- what: for one lease it lends nobody more than he has.
	share = math.max(0, math.min(target, slots - kept))
	if now >= created and now - created < lease then
		share = math.min(share, claim)
	end
	local keeps = math.max(share, used)
	write(id, demand, now + lease, keeps, target)
	kept = kept + keeps
	redis.call('PEXPIRE', KEYS[2], 60000 + math.ceil(lease / 1000))
end
redis.call('HSET', KEYS[1], 'created', string.format('%.0f', created), 'kept', kept,
	'members', members, 'levelled', string.format('%.0f', levelled))
redis.call('PEXPIRE', KEYS[1], 60000 + math.ceil(lease / 1000))
return {share, members}
