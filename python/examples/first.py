import polypath as pp

lab = pp.Lab(seed=7)
subsystem = lab.subsystem("subsys0")
c0, c1 = subsystem.controller(), subsystem.controller()
ns = subsystem.namespace(nsid=1, size="128MiB")
host = lab.host(policy="round-robin", paths=[c0, c1])

lab.run_until(host.write(ns, lba=0, data=b"hello, multipath"))
print(c1.detach(ns, [c0]))  # one path goes away
read = host.read(ns, lba=0)
lab.run_until(read)  # and the other one answers
print(read.data[:16], "errno", read.error)
verdict = lab.check()
print(verdict.verdict, lab.trace_hash)
