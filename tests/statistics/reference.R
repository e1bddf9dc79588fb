# Reference values of the sets in this folder, from R: survival (survdiff, coxph with Efron's ties,
# survfit with the log-log band), MASS (glm.nb) and lmerTest on lme4 (lmer, Satterthwaite).
#
#   Rscript reference.R      (in this folder; writes *_r.tsv)
suppressMessages({library(survival); library(MASS); library(lmerTest)})
number <- function(x) formatC(x, digits = 12, format = "g", width = 1)
write <- function(rows, name) {
  write.table(do.call(rbind, rows), name, sep = "\t", quote = FALSE, row.names = FALSE)
}

counts <- read.delim("counts.tsv")
write(lapply(split(counts, counts$set), function(x) {
  m <- suppressWarnings(glm.nb(count ~ treated, data = x,
                               control = glm.control(maxit = 200, epsilon = 1e-12)))
  data.frame(set = x$set[1], ratio = number(exp(coef(m)[2])),
             error = number(summary(m)$coefficients[2, 2]), k = number(1 / m$theta),
             loglik = number(as.numeric(logLik(m))))
}), "counts_r.tsv")

survival <- read.delim("survival.tsv")
sets <- split(survival, survival$set)
write(lapply(sets, function(x) {
  rank <- survdiff(Surv(day, event) ~ treated, data = x)
  cox <- suppressWarnings(coxph(Surv(day, event) ~ treated, data = x, ties = "efron",
                                control = coxph.control(eps = 1e-13, iter.max = 100)))
  data.frame(set = x$set[1], observed = rank$obs[2], expected = number(rank$exp[2]),
             chisq = number(rank$chisq), log_ratio = number(coef(cox)),
             error = number(sqrt(cox$var[1, 1])), loglik0 = number(cox$loglik[1]),
             loglik = number(cox$loglik[2]), score = number(cox$score))
}), "survival_r.tsv")
write(lapply(sets, function(x) {
  f <- survfit(Surv(day, event) ~ 1, data = x[x$treated == 0, ], conf.type = "log-log")
  data.frame(set = x$set[1], day = f$time, at_risk = f$n.risk, events = f$n.event,
             share = number(f$surv), low = number(f$lower), high = number(f$upper))
}), "kaplan_meier_r.tsv")

volumes <- read.delim("volumes.tsv")
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 20000),
                       check.conv.singular = "ignore")
write(lapply(split(volumes, volumes$set), function(x) {
  x$c <- x$day - mean(x$day)
  m <- suppressMessages(suppressWarnings(
    lmer(log(volume) ~ 0 + factor(day) + treated + treated:c + (c | animal), data = x,
         REML = TRUE, control = control)))
  k <- summary(m)$coefficients
  i <- nrow(k)
  v <- VarCorr(m)$animal
  data.frame(set = x$set[1], rate = number(k[i, 1]), error = number(k[i, 2]),
             df = number(k[i, 3]), p = number(k[i, 5]), level = number(k[i - 1, 1]),
             level_error = number(k[i - 1, 2]), level_df = number(k[i - 1, 3]),
             reml = number(REMLcrit(m)), sigma = number(sigma(m)),
             sd_intercept = number(sqrt(v[1, 1])), sd_slope = number(sqrt(v[2, 2])),
             covariance = number(v[1, 2]), singular = as.integer(isSingular(m)))
}), "volumes_r.tsv")
