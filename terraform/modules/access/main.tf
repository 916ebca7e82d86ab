# Who may do what in the lake's bucket, for every cloud alike. The modules turn this table into their own policies.
#
# A pattern that ends in "/" means all keys below it, "" all keys, a "*" in it anything; any other pattern is one key.
# read: get and describe; create: put where nothing is; write: put, also over what is there; delete: remove.
# Who deletes also reads: the S3 client asks whether an object is there before it deletes it.
# Every identity but gateway may list names, because a store tells "absent" from "forbidden" only to those.

locals {
  # Each function proves at its start that the bucket keeps its promises.
  selftest = ["selftest/"]
  proof    = concat(local.selftest, ["proved"])
  # Who keeps tables proves the catalog, too, with tables of their own that they remove again.
  catalogtest = ["tables/ops/selftest_*/"]
  log         = ["log/", "folded/", "hint"]

  roles = {
    ingest = {
      list    = true
      read    = concat(local.proof, local.log, ["landing/", "loads/", "arrivals/", "attempts/", "pending/", "schemas/", "tables/*/data/"])
      create  = ["loads/", "arrivals/", "attempts/", "tables/*/data/"]
      write   = concat(local.proof, ["pending/"])
      delete  = concat(local.selftest, ["attempts/"])
      events  = true
      secrets = true
      catalog = false
      backup  = "none"
    }
    commit = {
      list    = true
      read    = concat(local.proof, local.log, ["gaps", "pending/", "schemas/", "tables/"])
      create  = ["log/", "schemas/"]
      write   = concat(local.proof, ["hint", "gaps", "tables/"])
      delete  = concat(local.selftest, local.catalogtest, ["pending/", "tables/*/metadata/"])
      events  = false
      secrets = false
      catalog = true
      backup  = "none"
    }
    merge = {
      list    = true
      read    = concat(local.proof, local.log, ["schemas/", "tables/"])
      create  = ["schemas/"]
      write   = concat(local.proof, ["tables/"])
      delete  = concat(local.selftest, local.catalogtest, ["tables/*/metadata/"])
      events  = false
      secrets = false
      catalog = true
      backup  = "none"
    }
    maintain = {
      list    = true
      read    = concat(local.proof, local.log, ["clock", "loads/", "schemas/", "tables/"])
      create  = ["folded/", "schemas/"]
      write   = concat(local.proof, ["clock", "log/", "loads/", "tables/"])
      delete  = concat(local.selftest, ["tables/"])
      events  = false
      secrets = false
      catalog = true
      backup  = "none"
    }
    # It opens no upload, but asks for the size and the version of those it does not know: a right to read them, in all clouds.
    sweep = {
      list    = true
      read    = concat(local.proof, local.log, ["landing/", "swept/"])
      create  = []
      write   = concat(local.proof, ["swept/"])
      delete  = concat(local.selftest, ["swept/"])
      events  = false
      secrets = false
      catalog = false
      backup  = "none"
    }
    # A door for senders: it adds uploads and sees nothing.
    gateway = {
      list    = false
      read    = []
      create  = ["landing/"]
      write   = []
      delete  = []
      events  = false
      secrets = false
      catalog = false
      backup  = "none"
    }
    # Copies the lake into the backup bucket. It cannot change the lake, nor the operator the copy.
    backup = {
      list    = true
      read    = [""]
      create  = []
      write   = []
      delete  = []
      events  = false
      secrets = false
      catalog = true
      backup  = "write"
    }
    # Commands that a person runs: replay, restore, rebuild, erase. Only erase removes an upload; rebuild from the copy writes all else.
    operator = {
      list    = true
      read    = [""]
      create  = ["landing/"]
      write   = concat(local.proof, local.log, ["clock", "gaps", "loads/", "arrivals/", "attempts/", "pending/", "schemas/", "swept/", "tables/", "erasures/"])
      delete  = concat(local.selftest, ["landing/", "attempts/", "pending/", "tables/"])
      events  = false
      secrets = true
      catalog = true
      backup  = "read"
    }
  }
}
